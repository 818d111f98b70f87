/** Calls that are in the page's address: `?ajs_uid=…&ajs_aid=…&ajs_event=…&ajs_trait_x=…&ajs_prop_x=…`. */

import { isPlain, unescaped, type Data } from "./values"

/** The query of the page as it is when this script begins; of applications that route by hash, the one in there. */
export const queryOfPage = (): string => location.search || location.hash.replace(/^[^?]*/, "")

export function callsFromQuery(analytics: Data, query: string): void {
  const allowed = analytics.options.useQueryString
  if (!query.includes("ajs_") || allowed === false) return
  const given: Data = {}
  for (const pair of query.slice(1).split("&")) {
    const [name = "", value = ""] = pair.split("=")
    given[name] = unescaped(value)
  }
  const { aid = /.+/, uid = /.+/ } = isPlain(allowed) ? allowed : {}
  const { ajs_aid, ajs_uid, ajs_event } = given
  if (ajs_aid && aid.test(ajs_aid)) analytics.setAnonymousId(ajs_aid)
  if (ajs_uid && uid.test(ajs_uid)) void analytics.identify(ajs_uid, startingWith("ajs_trait_", given))
  if (ajs_event) void analytics.track(ajs_event, startingWith("ajs_prop_", given))
}

const startingWith = (start: string, given: Data): Data =>
  Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) =>
      name.startsWith(start) ? [[name.slice(start.length), value]] : [],
    ),
  )
