/**
 * What the plug-ins for tools share: how a tool's script gets into the page, once, and what becomes of events meanwhile.
 *
 * They run with relay's analytics.js and with Segment's. The settings do not say that a tool is bundled: a plug-in does so
 * itself, in the browser, once the tool has begun, so that relay sends the events of a browser that could not load it.
 * Relay's analytics.js keeps events, and sends them when it is settled whether the tool begins. Segment's does not wait for
 * that: a second plug-in, of type `enrichment`, makes its events wait.
 */

import type { Event, Kind } from "../src/types"
import type { Data } from "../src/values"

export interface Me {
  id?: string | null
  anonymousId: string
  traits: Data
}

export interface Vendor extends Partial<Record<Kind, (event: Event) => unknown>> {
  url: string
  attributes?: Data
  /** What the script is to find in the page. */
  prepare?(): void
  /** Whether the script is there and ran: by us (`isLoaded`), or by the page itself. */
  isThere(isLoaded: boolean): boolean
  start?(me: Me): unknown
}

const MILLISECONDS = 5000 // for a tool to begin: as long as relay's analytics.js waits
const LOOK = 100 // milliseconds, for a script that the page itself has
const KINDS = ["track", "page", "identify", "group", "alias"] as const

export const page: any = window

/** Make a plug-in known as `relay:TYPE`, where the settings' `remotePlugins` name it. */
export function offer(type: string, vendorOf: (settings: any) => Vendor): void {
  page[`relay:${type}`] = ({ relay, ...settings }: Data) => pair(relay, vendorOf(settings))
}

function pair({ name, also, categories, filters }: Data, vendor: Vendor): object[] {
  let analytics: any
  let starting: Promise<boolean> | undefined
  let isStarted = false

  const isOwn = () => !analytics.queue // that of Segment's analytics.js

  const begin = async () => {
    if (filters && isOwn()) await keepTo(filters, name, analytics)
    vendor.prepare?.()
    await loaded(vendor)
    const user = analytics.user()
    // filters are for events, and these traits are none: they may be what is not to get there
    await vendor.start?.({ id: user.id(), anonymousId: user.anonymousId(), traits: filters ? {} : user.traits() })
  }

  const start = () =>
    (starting ??= inTime(begin()).then(
      () => {
        const { integrations } = analytics.settings.cdnSettings
        integrations[name] = { ...integrations[name], bundlingStatus: "bundled" }
        return (isStarted = true)
      },
      () => false,
    ))

  const isGranted = ({ context }: Event) => {
    const given = context.consent?.categoryPreferences
    return !categories.length || (given && categories.every((category: string) => given[category] === true))
  }

  const all: ((event: Event) => unknown)[] = (page["relay:all"] ??= [])
  all.push((event) => isGranted(event) && start())

  const handlers = (handle: (context: any, kind: Kind) => unknown) =>
    Object.fromEntries(KINDS.map((kind) => [kind, (context: any) => handle(context, kind)]))

  const both = { version: "1", isLoaded: () => true }
  const first = {
    ...both,
    ...handlers((context) => {
      if (isOwn() || !isGranted(context.event)) return context
      for (const begins of all) begins(context.event) // side by side: events pass here one plug-in after the other
      return start().then(() => context)
    }),
    name: `${name} first`,
    type: "enrichment",
    load: async (_: unknown, given: unknown) => void (analytics = given),
  }
  const destination = {
    ...both,
    ...handlers((context, kind) => {
      const { event } = context
      const isOff = also.some((one: string) => event.integrations?.[one] === false)
      const isRefused = event.context.consent && !isGranted(event)
      if (isStarted && !isOff && !isRefused) vendor[kind]?.(event)
      return context
    }),
    name,
    type: "destination",
    alternativeNames: also,
    async load(_: unknown, given: unknown) {
      analytics = given
      if (isOwn() && !(await start())) throw new Error(`${name} did not start`)
    },
  }
  return [first, destination]
}

const inTime = (one: Promise<unknown>) =>
  Promise.race([one, new Promise((_, late) => setTimeout(late, MILLISECONDS))])

/** Segment's analytics.js brings what evaluates the rules of the settings; for relay's it is a file that all plug-ins share. */
async function keepTo(file: string, name: string, analytics: any): Promise<void> {
  const { cdnURL, cdnSettings } = analytics.settings
  await (page["relay:filtering"] ??= run(new URL(file, `${cdnURL}/`).href))
  const rules = cdnSettings.middlewareSettings.routingRules.filter((rule: Data) => rule.destinationName === name)
  analytics.addDestinationMiddleware(name, page["relay:filters"](rules))
}

async function loaded(vendor: Vendor): Promise<void> {
  if (vendor.isThere(false)) return
  const place = vendor.url.replace(/\?.*/, "")
  // of us two may need one script, and then know at once if it failed
  const ours: Record<string, Promise<unknown>> = (page["relay:scripts"] ??= {})
  if (!ours[place] && [...document.scripts].some(({ src }) => src.startsWith(place)))
    return until(() => vendor.isThere(false))
  await (ours[place] ??= run(vendor.url, vendor.attributes))
  if (!vendor.isThere(true)) throw new Error("it does not work")
}

function run(src: string, attributes: Data = {}): Promise<unknown> {
  const script = Object.assign(document.createElement("script"), { src, async: true })
  for (const [name, value] of Object.entries(attributes)) script.setAttribute(name, value)
  return new Promise((done, fail) => {
    script.onload = done
    script.onerror = fail
    document.head.append(script)
  })
}

async function until(holds: () => boolean): Promise<void> {
  for (let left = MILLISECONDS / LOOK; !holds(); left--) {
    if (!left) throw new Error("it did not come")
    await new Promise((done) => setTimeout(done, LOOK))
  }
}

/** A global function that keeps its calls until the real one is there. */
export function stub(name: string, keep: (args: IArguments) => void): void {
  page[name] ??= function () {
    keep(arguments)
  }
}

/** Without what tools take no interest in: fields that are missing, null, or no plain value. */
export const scalars = (data: Data = {}): Data =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value)))
