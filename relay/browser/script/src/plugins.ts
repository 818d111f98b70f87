/**
 * Plug-ins: what happens to events in the browser besides sending them to relay.
 *
 * They have the shape that analytics.js gave them. One of type `before` or `enrichment` changes events; one of type
 * `destination` is a tool's own code, which gets them in parallel with all others, after consent, the event's
 * `integrations` and its destination middleware had their say. What fails in one is its own affair.
 */

import { Cancelled, contextOf, type Context } from "./context"
import { forDestination, type Middleware } from "./middleware"
import { CALLS, type Event, type Kind, type RemotePlugin } from "./types"
import { isFunction, isPlain, isThenable, type Data } from "./values"

type Handler = (context: any) => unknown

export interface Plugin extends Partial<Record<Kind, Handler>> {
  name: string
  type?: "before" | "enrichment" | "destination" | "after" | "utility"
  alternativeNames?: string[]
  load?: (context: Context, analytics: any) => unknown
  unload?: (context: Context, analytics: any) => unknown
  ready?: () => unknown
}

export interface Plugins {
  /** While plug-ins are on their way that events have to wait for. */
  loading(): Promise<unknown> | null
  /** Destinations whose code did not come, or could not begin. */
  failed: string[]
  /** Destinations that are to have events. */
  names(): string[]
  register(plugin: Plugin): Promise<unknown>
  registerRemote(remote: RemotePlugin, options: unknown): Promise<unknown>
  deregister(name: string): unknown
  addMiddleware(name: string, middleware: Middleware[]): void
  /** Let those that change events do so. False: the event goes nowhere. At once, unless one takes its time. */
  change(context: Context): boolean | Promise<boolean>
  /** Give the event to every destination that is to have it. */
  deliver(context: Context): void
  ready(): Promise<unknown>
}

/** How long events wait for a tool's code. One that is later gets none of this page's: relay sends them instead. */
const LOAD_MILLISECONDS = 5000

export function pluginsOf(analytics: () => unknown, isGranted: (name: string, event: Event) => boolean): Plugins {
  const failed: string[] = []
  const middleware: [string, Middleware][] = []
  let all: Plugin[] = []
  let loading: Promise<unknown> | null = null

  const of = (...types: unknown[]) => all.filter(({ type }) => types.includes(type))
  const destinations = () => of("destination", undefined).filter(({ name }) => !failed.includes(name))
  const hook = (plugin: Plugin, name: "load" | "unload") => plugin[name]?.(contextOf({} as Event), analytics())

  const wait = (one: Promise<unknown>) => {
    const both = Promise.all([loading, one])
    loading = both
    void both.then(() => {
      if (loading === both) loading = null
    })
    return one
  }

  /** It takes part from now on: the call that comes next is to pass through it. */
  const register = (plugin: Plugin) => {
    all.push(plugin)
    if (!plugin.load) return Promise.resolve()
    const loaded = (async () => hook(plugin, "load"))()
    return wait(inTime(loaded).catch(() => failed.push(plugin.name)))
  }

  const registerRemote = ({ url, libraryName, settings, name }: RemotePlugin, options: unknown) => {
    const code = script(url).then(async () => {
      const made = await (window as any)[libraryName]({ ...settings, ...(isPlain(options) ? options : {}) })
      await Promise.all([made].flat().map((plugin) => register({ ...bound(plugin), name: plugin.name ?? name })))
    })
    return wait(inTime(code).catch(() => failed.push(name)))
  }

  const change = (context: Context) => {
    const { event } = context
    const plugins = of("before").concat(of("enrichment"))
    const isBorne = (plugin: Plugin, error: unknown) => {
      const isEnd = plugin.type === "before" || error instanceof Cancelled
      context.log("error", String(error))
      if (isEnd) context.setFailedDelivery({ reason: error })
      return !isEnd
    }
    const step = (): boolean | Promise<boolean> => {
      for (let plugin = plugins.shift(); plugin; plugin = plugins.shift()) {
        const current = plugin
        try {
          const running = current[event.type]?.(context)
          if (isThenable(running))
            return Promise.resolve(running).then(step, (error) => isBorne(current, error) && step())
        } catch (error) {
          if (!isBorne(current, error)) return false
        }
      }
      return true
    }
    return step()
  }

  const deliver = (context: Context) => {
    const { event } = context
    for (const plugin of destinations()) {
      const { name } = plugin
      if (!isGranted(name, event) || !isOn(event.integrations, plugin)) continue
      const own = middleware.filter(([to]) => to === "*" || to === name.toLowerCase()).map(([, one]) => one)
      forDestination(event, name, own)
        .then((result) => result && plugin[result.type]?.(contextOf(result)))
        .catch((error) => context.log("error", String(error), { plugin: name }))
    }
    for (const plugin of of("after")) void (async () => plugin[event.type]?.(context))().catch(() => {})
  }

  return {
    loading: () => loading,
    failed,
    names: () => destinations().map(({ name }) => name),
    register,
    registerRemote,
    deregister(name) {
      const found = all.find((one) => one.name === name)
      all = all.filter((one) => one !== found)
      return found && hook(found, "unload")
    },
    addMiddleware(name, some) {
      for (const one of some) middleware.push([name.toLowerCase(), one])
    },
    change,
    deliver,
    ready: () => Promise.all([loading, ...all.map((plugin) => plugin.ready?.())]),
  }
}

function isOn(integrations: Data, { name, alternativeNames = [] }: Plugin): boolean {
  const said = [name, ...alternativeNames, "All"].find((one) => integrations[one] !== undefined)
  return said === undefined || Boolean(integrations[said])
}

// methods of a class are not taken along by a spread
function bound(plugin: any): Plugin {
  const copy = { ...plugin }
  for (const name of [...CALLS, "load", "ready", "unload"])
    if (isFunction(plugin[name])) copy[name] = plugin[name].bind(plugin)
  return copy
}

const inTime = (one: Promise<unknown>): Promise<unknown> =>
  Promise.race([one, new Promise((_, late) => setTimeout(late, LOAD_MILLISECONDS))])

function script(src: string): Promise<unknown> {
  return new Promise((onload, onerror) => {
    document.head.append(Object.assign(document.createElement("script"), { src, onload, onerror }))
  })
}
