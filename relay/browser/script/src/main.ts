/**
 * The start: take over from the snippet what it was asked for, in that order, and become `window.analytics`.
 *
 * The server puts the settings behind this script, so that no second request is needed (RELAY); without them they are
 * fetched. Where the script came from is where events go.
 */

import { analyticsOf, RELAY as OWN } from "./analytics"
import { callsFromQuery, queryOfPage } from "./query"
import type { Options, Settings } from "./types"

declare const RELAY: Settings | undefined

type Call = [string, ...unknown[]]

// what has to hold before the first event is made
const FIRST = [
  "setAnonymousId",
  "consent",
  "on",
  "register",
  "addSourceMiddleware",
  "addDestinationMiddleware",
  "addIntegrationMiddleware",
]

const script = document.currentScript as HTMLScriptElement | null
const [, host, keyInAddress] = /^(.*)\/analytics\.js\/v1\/([^/]+)\//.exec(script?.src ?? "") ?? []
const named = script?.dataset.globalSegmentAnalyticsKey ?? "analytics"
const page: any = window
const stub = page[named]
const options: Options = stub?._loadOptions ?? {}
const writeKey: string | undefined = RELAY?.integrations[OWN]?.apiKey ?? stub?._writeKey ?? keyInAddress
const cdn: string = stub?._cdn ?? host ?? location.origin
const query = queryOfPage() // now: an application may change it any moment

async function fetched(): Promise<Settings | undefined> {
  try {
    const response = await fetch(`${cdn}/v1/projects/${writeKey}/settings`)
    if (response.ok) return await response.json()
    if (response.status < 500) return void console.error("analytics.js: no such write key")
  } catch {}
  return { integrations: { [OWN]: {} } } // the events are kept until the server is there
}

function start(found: Settings): unknown {
  const settings = options.updateCDNSettings?.(found) ?? found
  const { disable } = options
  const said = typeof disable === "function" ? disable(settings) : disable
  const go = (isDisabled: unknown) =>
    install(settings, {
      ...options,
      ...(isDisabled ? { disable: true, disableClientPersistence: true } : { disable: false }),
    })
  return said instanceof Promise ? said.then(go) : go(said)
}

function install(settings: Settings, options: Options): void {
  const analytics = analyticsOf(writeKey!, cdn, settings, options)
  const calls: Call[] = Array.isArray(stub) ? stub.splice(0) : []
  if (options.initialPageview) calls.unshift(["page"])
  const replay = (areFirst: boolean) => {
    for (const call of calls)
      if (FIRST.includes(call[0]) === areFirst) void (async () => analytics.push(call))().catch(console.error)
  }
  replay(true)
  Object.assign(analytics, { ...stub, ...analytics, initialized: true })
  page[options.globalAnalyticsKey ?? named] = analytics
  analytics.emit("initialize", analytics.settings, options)
  callsFromQuery(analytics, query)
  replay(false)
}

if (!writeKey) console.error("analytics.js: no write key")
else if (!stub?.initialized) void (RELAY ? start(RELAY) : fetched().then((settings) => settings && start(settings)))
