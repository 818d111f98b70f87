/** What every event says about the browser and about how the visitor came. */

import { readCookie, writeCookie } from "./cookies"
import type { Event, Options } from "./types"
import { parsed, unescaped, type Data } from "./values"
import { VERSION } from "./version"

const REFERRER = "s:context.referrer"
const NETWORKS: Record<string, string> = { btid: "dataxu", urid: "millennial-media" } // parameters that ad networks add

/** Describes events, in place. */
export function environment(options: Options): (event: Event) => void {
  const agent = (navigator as any).userAgentData
  const wanted = options.highEntropyValuesClientHints
  // Intl costs milliseconds when it is first used, more than all else here
  const timezone = (window as any).Temporal?.Now.timeZoneId() ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  let hints: Data | undefined = agent?.toJSON()
  if (agent && wanted)
    agent.getHighEntropyValues(wanted).then(
      (more: Data) => (hints = more),
      () => {},
    )

  return ({ context }) => {
    const search = String(context.page.search || "")
    const amp = readCookie("_ga")
    context.userAgent = navigator.userAgent
    context.userAgentData = hints
    context.locale ??= navigator.language
    context.library ??= { name: "analytics.js", version: `relay-${VERSION}` }
    if (search) context.campaign ??= campaign(search)
    if (amp?.startsWith("amp")) context.amp = { id: amp }
    const ad = advertisement(search, !options.disableClientPersistence)
    if (ad) context.referrer = { ...context.referrer, ...ad }
    context.timezone = timezone
  }
}

// the last one that the visitor came by
function advertisement(search: string, isKept: boolean): Data | undefined {
  const found = pairs(search).find(([name]) => Object.hasOwn(NETWORKS, name))
  const ad = found && { id: found[1], type: NETWORKS[found[0]] }
  if (!isKept) return ad
  if (ad) writeCookie(REFERRER, JSON.stringify(ad))
  return ad ?? parsed(readCookie(REFERRER))
}

function pairs(search: string): [string, string][] {
  return search
    .replace(/^\?/, "")
    .split(/[?&]/)
    .map((pair) => pair.split("=") as [string, string])
}

function campaign(search: string): Data {
  const found: Data = {}
  for (const [name, value = ""] of pairs(search)) {
    const key = name.slice(4)
    if (name.includes("utm_") && key) found[key === "campaign" ? "name" : key] = unescaped(value)
  }
  return found
}
