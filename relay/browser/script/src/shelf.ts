/**
 * Events that are not acknowledged yet, in localStorage, each under a key of its own: `relay:<write key>:<tab>:<n>`.
 *
 * A tab says every few seconds that it lives, for as long as it has something here. One that is left gives its events
 * free at once; one that crashed is silent for STALE, and then another tab takes them over. Two tabs may do so at the
 * same moment, or a frozen one may come back: an event then arrives twice with one messageId, which is once.
 */

import { canKeepLocally } from "./stores"
import type { Event } from "./types"
import { attempt, parsed } from "./values"

const BEAT = 5000
const STALE = 150_000 // timers of a hidden tab may come once a minute
const OLDEST = 7 * 864e5 // whoever comes back later has another story to tell

export interface Shelf {
  /** Where an event is kept; the same `key` again replaces it. */
  put(event: Event, key?: string): string
  drop(key: string): void
  /** Whether an event is still here; without storage it always is. */
  has(key: string): boolean
  /** Nothing is left, or the page goes away: what is left is anybody's. */
  release(): void
  /** Take over what tabs have left behind, oldest first: events with their new places. */
  adopt(): [string, Event][]
}

export function shelfOf(writeKey: string, isWanted: boolean): Shelf {
  const root = `relay:${writeKey}:`
  const tab = Math.random().toString(36).slice(2, 10)
  const storage = isWanted && canKeepLocally() ? localStorage : undefined
  let count = 0
  let timer: ReturnType<typeof setInterval> | undefined

  // full: what does not fit is in memory only
  const write = (key: string, value: string) => attempt(() => storage?.setItem(key, value))
  const beat = () => write(root + tab, String(Date.now()))
  const drop = (key: string) => storage?.removeItem(key)
  const has = (key: string) => !storage || storage.getItem(key) !== null

  const put = (event: Event, key = `${root}${tab}:${count++}`) => {
    write(key, JSON.stringify(event))
    if (timer === undefined) {
      beat()
      timer = setInterval(beat, BEAT)
    }
    return key
  }

  const release = () => {
    clearInterval(timer)
    timer = undefined
    drop(root + tab)
  }

  const adopt = () => {
    const found: [string, Event][] = []
    for (const key of Object.keys(storage ?? {})) {
      const [other, n] = key.startsWith(root) ? key.slice(root.length).split(":") : []
      if (!other || other === tab || Date.now() - Number(storage!.getItem(root + other)) < STALE) continue
      const event = n && read(storage!.getItem(key))
      // it has its new place before it leaves the old one
      if (event) found.push([put(event), event])
      if (!event || has(found.at(-1)![0])) drop(key)
    }
    return found.sort(([, a], [, b]) => time(a) - time(b))
  }

  return { put, drop, has, release, adopt }
}

const time = (event: Event): number => Date.parse(event.timestamp as string)

// undefined: too old, cut off by a crash, or not an event
function read(text: string | null): Event | undefined {
  const event = parsed(text)
  return event?.messageId && !(Date.now() - time(event) > OLDEST) ? event : undefined
}
