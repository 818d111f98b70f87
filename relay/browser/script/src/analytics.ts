/** `window.analytics`: the calls, and what each does with its event. */

import { READ } from "./arguments"
import { CHANGED, consentIn } from "./consent"
import { contextOf, type Context } from "./context"
import { deliveryTo } from "./delivery"
import { emitter } from "./emitter"
import { environment } from "./environment"
import { eventOf } from "./event"
import { userOf } from "./identity"
import { trackForms, trackLinks } from "./links"
import { metadataOf } from "./metadata"
import { sourceMiddleware, type Middleware } from "./middleware"
import { pageOf } from "./page"
import { applyPlan } from "./plan"
import { pluginsOf, type Plugin } from "./plugins"
import { stores, together } from "./stores"
import type { Id, Kind, Options, Settings } from "./types"
import { isFunction, isString, sleep, type Data } from "./values"
import { VERSION } from "./version"

export const RELAY = "Segment.io"

export type Analytics = ReturnType<typeof analyticsOf>

type Named = (string | Middleware)[]

export function analyticsOf(writeKey: string, cdnURL: string, cdnSettings: Settings, options: Options) {
  const { storage, cookie, integrations = {}, disable } = options
  const persist = !options.disableClientPersistence
  const own: Data = { apiHost: `${cdnURL}/v1`, ...cdnSettings.integrations[RELAY], ...integrations[RELAY] }
  const settings = { writeKey, cdnURL, cdnSettings, apiHost: own.apiHost as string, timeout: 300 }
  const me = userOf({ persist, storage, ...options.user }, cookie)
  const us = userOf({ persist, storage, ...options.group }, cookie, "group", "properties")
  const events = emitter(() => analytics)
  const describe = environment(options)
  const consented = consentIn(together(stores(persist ? ["localStorage"] : [])), cdnSettings)
  const plugins = pluginsOf(() => analytics, consented.grants)
  const isOn = (said: unknown) => (said === undefined ? integrations.All !== false : said !== false)
  let isDebugging = false

  const { protocol = "https", deliveryStrategy = {} } = own
  const url = /^https?:/.test(own.apiHost) ? own.apiHost : `${protocol}://${own.apiHost}`
  const delivery =
    !disable && isOn(integrations[RELAY]) ? deliveryTo(url, writeKey, persist, deliveryStrategy, events.emit) : null

  const deliver = async (context: Context, loading: Promise<unknown> | null) => {
    const { event } = context
    if (!delivery || !consented.grantsSending(event)) return
    const metadata = () => metadataOf(cdnSettings, own, plugins.failed)
    const [key, sent] = delivery.add(
      {
        ...event,
        writeKey,
        userId: event.userId || me.id(),
        anonymousId: event.anonymousId || me.anonymousId(),
        _metadata: metadata(),
      },
      loading !== null,
    )
    context.attempts = 1
    if (loading) {
      await loading
      delivery.letGo(key, metadata())
    }
    await sent
  }

  /** Through the plug-ins, to relay and to destinations. As much of it as can be is done before the call returns. */
  const send = async (context: Context) => {
    if (disable) return
    describe(context.event)
    applyPlan(context.event, options.plan ?? cdnSettings.plan)
    consented.stamp(context.event)
    const going = plugins.change(context)
    if (!(going === true || (await going))) return
    if (isDebugging) console.debug(context.event)
    loadRemotes(context.event.context.consent)
    const loading = plugins.loading()
    const delivered = deliver(context, loading)
    if (loading) await loading
    plugins.deliver(context)
    await delivered
  }

  const call =
    (kind: Kind, whose = me) =>
    async (...args: unknown[]) => {
      const page = pageOf(args)
      const [fields, given = {}, callback] = READ[kind](args, whose)
      const context = contextOf(eventOf(kind, fields, given, integrations, page, me))
      const sent = send(context)
      if (callback)
        await Promise.race([sent, sleep(settings.timeout)])
          .then(() => callback(context))
          .catch(console.error)
      await sent
      events.emit(kind, ...Object.values(fields), given)
      return context
    }
  const [track, page, group] = [call("track"), call("page"), call("group", us)]

  const addSourceMiddleware = async (middleware: Middleware) => {
    const destinations = () => Object.fromEntries([RELAY, ...plugins.names()].map((name) => [name, true]))
    await plugins.register(sourceMiddleware(middleware, destinations))
    return analytics
  }

  // without a name: for all destinations
  const addDestinationMiddleware = async (...args: Named) => {
    plugins.addMiddleware(args.find(isString) ?? "*", args.filter(isFunction))
    return analytics
  }

  const trackLink = (links: unknown, event: any, properties?: any, own: Data = {}) => {
    trackLinks(links, event, properties, own, track, settings.timeout)
    return analytics
  }

  const trackForm = (forms: unknown, event: any, properties?: any, own: Data = {}) => {
    trackForms(forms, event, properties, own, track, settings.timeout)
    return analytics
  }

  const analytics: Data = {
    ...events,
    initialized: false,
    invoked: true, // what the snippet asks when it is on a page twice
    VERSION,
    settings,
    options,
    integrations,
    storage: together(stores(persist ? (storage?.stores ?? ["localStorage", "cookie"]) : [], cookie)),
    track,
    page,
    screen: call("screen"),
    identify: call("identify"),
    group: (...args: unknown[]) => (((args[0] as Data)?.__t ?? !args.length) ? us : group(...args)),
    alias: call("alias"),
    pageview: (path: string) => page({ path }),
    setAnonymousId: (id?: Id) => me.anonymousId(id),
    user: () => me,
    reset() {
      me.reset()
      us.reset()
      events.emit("reset")
    },
    /** What the visitor agreed to, by category. */
    consent(preferences: Data) {
      if (consented.set(preferences)) return track(CHANGED)
    },
    async ready(callback?: (plugins: unknown) => void) {
      const all = await plugins.ready()
      callback?.(all)
      return all
    },
    debug(isOn = true) {
      isDebugging = isOn
      return analytics
    },
    timeout: (milliseconds: number) => (settings.timeout = milliseconds),
    register: (...some: Plugin[]) => Promise.all(some.map(plugins.register)),
    deregister: async (...names: string[]) => Promise.all(names.map(plugins.deregister)),
    addSourceMiddleware,
    addDestinationMiddleware,
    addIntegrationMiddleware: addDestinationMiddleware,
    trackLink,
    trackClick: trackLink,
    trackForm,
    trackSubmit: trackForm,
    use(plugin: (analytics: Data) => void) {
      plugin(analytics)
      return analytics
    },
    /** What the snippet looks for, so that it does not load this script again. */
    initialize: () => analytics,
    /** A call as the snippet queues them: its name, then its arguments. */
    push: ([name, ...args]: [string, ...unknown[]]) => analytics[name]?.(...args),
  }

  // at the start, and with the event that says that the visitor has agreed to more
  let remotes = disable ? [] : (cdnSettings.remotePlugins ?? [])
  const loadRemotes = (consent?: Data) => {
    const now = remotes.filter(({ name }) => consented.grantsLoading(name, consent))
    remotes = remotes.filter((one) => !now.includes(one))
    for (const { url, ...one } of now)
      if (isOn(integrations[one.name] ?? integrations[one.creationName ?? one.name]))
        void plugins.registerRemote({ ...one, url: new URL(url, `${cdnURL}/`).href }, integrations[one.name])
  }
  loadRemotes()
  return analytics
}
