/**
 * Sending: an event is on the shelf before it is sent, and leaves it once relay has it.
 *
 * A new event goes at once, in a request of its own; after a failure everything waits, and what has gathered goes in
 * batches, one at a time. With the `batching` strategy events always gather. When the page goes away, what waits is
 * given to the browser as beacons, of which nobody learns the end: it stays on the shelf, and the next page sends it
 * again. The server knows by messageId.
 */

import { shelfOf } from "./shelf"
import type { Event } from "./types"
import type { Data } from "./values"
import { beacon, bytes, KEEPALIVE_BYTES, post } from "./wire"

const MOST = 1000 // events that wait; then the oldest gives way
const FIRST_WAIT = 500 // as in analytics.js: doubled with every failure
const LONGEST_WAIT = 60_000
const LONGEST_ASKED = 3_600_000 // a server that asks for more is mistaken
const LOOK = 30_000 // for what crashed tabs have left

interface Entry {
  key: string
  event: Event
  attempts: number
  isBusy?: boolean
  isHeld?: boolean // until plug-ins are there
  settle?: (isAccepted: boolean) => void
}

export interface Delivery {
  /** Keep the event and send it. Resolves after the first attempt, or at once when it has to wait. */
  add(event: Event, isHeld: boolean): [key: string, sent: Promise<boolean>]
  /** Plug-ins are there: send what waited for them, with what they did. */
  letGo(key: string, metadata: Data): void
}

type Tell = (event: string, ...args: unknown[]) => void

export function deliveryTo(
  url: string,
  writeKey: string,
  isKept: boolean,
  { strategy, config = {} }: Data,
  tell: Tell,
): Delivery {
  const shelf = shelfOf(writeKey, isKept)
  const entries = new Map<string, Entry>()
  const isGathering = strategy === "batching"
  const { size = 10, timeout = 5000 }: Data = config
  let failures = 0
  let notBefore = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let isDraining = false

  const isOffline = () => navigator.onLine === false
  const waiting = () => [...entries.values()].filter((entry) => !entry.isBusy && !entry.isHeld)
  const batch = (some: Entry[]) => JSON.stringify({ writeKey, batch: some.map(marked), sentAt: new Date() })

  const forget = (entry: Entry) => {
    entries.delete(entry.key)
    shelf.drop(entry.key)
    if (!entries.size) shelf.release()
  }

  const send = async (some: Entry[]): Promise<void> => {
    for (const entry of some) {
      entry.isBusy = true
      entry.attempts++
    }
    const [first] = some as [Entry]
    const isBatch = isGathering || some.length > 1
    const path = isBatch ? "b" : first.event.type[0]
    const body = isBatch ? batch(some) : JSON.stringify({ ...marked(first), sentAt: new Date() })
    const [result, after] = await post(`${url}/${path}`, body, config)
    for (const entry of some) {
      entry.isBusy = false
      entry.settle?.(result === "success")
      if (result !== "retry") forget(entry)
      tell(`delivery_${result}`, entry.event)
    }
    if (result === "retry") delay(after)
    else failures = 0
    if (waiting().length) schedule()
  }

  const delay = (asked: number | undefined) => {
    const now = Date.now()
    if (asked === undefined && now < notBefore) return // requests that fail side by side are one failure
    const backoff = Math.min(FIRST_WAIT * 2 ** failures++, LONGEST_WAIT) * (0.75 + Math.random() / 2)
    notBefore = Math.max(notBefore, now + Math.min(asked ?? backoff, LONGEST_ASKED))
  }

  const schedule = (): void => {
    const wait = notBefore - Date.now()
    const isFull = isGathering && waiting().length >= size
    if (isFull && wait <= 0) return flush()
    if (wait > 0) clearTimeout(timer)
    else if (timer !== undefined) return
    timer = setTimeout(flush, Math.max(wait, isGathering ? timeout : 0))
  }

  /** Send what waits, a batch at a time. */
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (isDraining || isOffline()) return
    const [some] = portions(waiting())
    if (!some) return
    if (Date.now() < notBefore) return schedule()
    isDraining = true
    void send(some).then(() => {
      isDraining = false
      if (waiting().length) schedule()
    })
  }

  const go = (entry: Entry) => {
    const isFree = !failures && !isOffline() && Date.now() >= notBefore
    if (isFree && !isGathering) return void send([entry])
    entry.settle?.(false)
    schedule()
  }

  const adopt = () => {
    for (const [key, event] of shelf.adopt()) entries.set(key, { key, event, attempts: 1 })
    if (waiting().length) schedule()
  }

  // out of the back/forward cache: another page may have sent what was left
  const comeBack = () => {
    for (const entry of entries.values()) {
      if (shelf.has(entry.key)) shelf.put(entry.event, entry.key)
      else entries.delete(entry.key)
      entry.isBusy = false
    }
    flush()
  }

  const leave = () => {
    const left = [...entries.values()].filter((entry) => !entry.isBusy)
    if (!isOffline())
      for (const some of portions(left))
        if (beacon(`${url}/b`, batch(some))) for (const entry of some) entry.isBusy = true
    shelf.release()
  }

  addEventListener("online", () => {
    failures = 0
    flush()
  })
  addEventListener("pageshow", ({ persisted }) => persisted && comeBack())
  addEventListener("pagehide", leave)
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && flush())
  setInterval(adopt, LOOK)
  adopt()

  return {
    add(event, isHeld) {
      const entry: Entry = { key: shelf.put(event), event, attempts: 0, isHeld }
      const sent = new Promise<boolean>((settle) => (entry.settle = settle))
      entries.set(entry.key, entry)
      const [oldest] = entries.size > MOST ? waiting() : []
      if (oldest) {
        forget(oldest)
        oldest.settle?.(false)
        tell("delivery_failure", oldest.event)
      }
      if (!isHeld) go(entry)
      return [entry.key, sent]
    },
    letGo(key, metadata) {
      const entry = entries.get(key)
      if (!entry) return
      entry.event._metadata = metadata
      entry.isHeld = false
      shelf.put(entry.event, key)
      go(entry)
    },
  }
}

// how often it was tried, when more than once
function marked({ event, attempts }: Entry): Event {
  return attempts > 1 ? { ...event, _metadata: { ...event._metadata, retryCount: attempts } } : event
}

/** Cut into what one request may hold and still outlive the page. */
function portions(entries: Entry[]): Entry[][] {
  const all: Entry[][] = []
  let size = Infinity
  for (const entry of entries) {
    const own = bytes(JSON.stringify(entry.event)) + 40 // retryCount, and the comma
    if (size + own > KEEPALIVE_BYTES - 200) {
      all.push([])
      size = 0
    }
    all.at(-1)!.push(entry)
    size += own
  }
  return all
}
