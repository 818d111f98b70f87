/** The page an event happened on. The snippet takes it down for calls that come before this script. */

import { attempt, isPlain, type Data } from "./values"

interface Buffered {
  c?: string // canonical address
  p: string
  u: string
  s: string
  t: string
  r: string
}

/** Where the visitor is now, or was when a call was queued: then it is the last of `args`, and is taken off them. */
export function pageOf(args: unknown[]): Data {
  const last = args[args.length - 1]
  if (!isPlain(last) || last.__t !== "bpc") return described(here())
  args.pop()
  return described(last as unknown as Buffered)
}

function here(): Buffered {
  const canonical = document.querySelector("link[rel='canonical']")?.getAttribute("href") ?? undefined
  const { pathname, href, search } = location
  return { c: canonical, p: pathname, u: href, s: search, t: document.title, r: document.referrer }
}

function described({ c, p, u, s, t, r }: Buffered): Data {
  return {
    path: c ? canonicalPath(c) : p,
    referrer: r,
    search: s,
    title: t,
    url: c ? (c.includes("?") ? c : c + s) : u.replace(/#.*/s, ""),
  }
}

const canonicalPath = (address: string): string =>
  attempt(() => new URL(address).pathname) ?? address.replace(/^\/?/, "/")
