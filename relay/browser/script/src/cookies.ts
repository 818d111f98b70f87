/** Cookies: one for the whole site, readable by whatever else reads the same names. */

import type { CookieOptions } from "./types"
import { attempt } from "./values"

const DAYS = 365

let site: string | null | undefined // null: cookies do not stick at all

const unescape = (text: string): string => attempt(() => text.replace(/(%[\dA-F]{2})+/gi, decodeURIComponent)) ?? text

// what may stand in a cookie stays readable
const escape = (text: string): string => text.replace(/[\s",%;\\]|[^ -~]+/g, encodeURIComponent)

let seen: string | undefined // what cookies there are, for as long as a turn lasts: to look waits for the browser

function look(): string {
  queueMicrotask(() => (seen = undefined))
  return attempt(() => document.cookie) ?? "" // a sandboxed frame may not even look
}

export function readCookie(name: string): string | null {
  for (const pair of (seen ??= look()).split("; ")) {
    const at = pair.indexOf("=")
    if (unescape(pair.slice(0, at)) === name) return unescape(pair.slice(at + 1).replace(/^"(.*)"$/, "$1"))
  }
  return null
}

/** Write a cookie; null takes it away. */
export function writeCookie(name: string, value: string | null, options: CookieOptions = {}): void {
  const { maxage = DAYS, path = "/", sameSite = "Lax", secure, domain = cookieDomain() } = options
  const expires = new Date(value === null ? 0 : Date.now() + maxage * 864e5)
  const pair = `${encodeURIComponent(name)}=${attempt(() => escape(value ?? ""))}; `
  const cookie =
    `${pair}path=${path}; expires=${expires.toUTCString()}; sameSite=${sameSite}` +
    (domain ? `; domain=${domain}` : "") +
    (secure ? "; secure" : "")
  attempt(() => (document.cookie = cookie))
  if (seen !== undefined) seen = pair + seen // an empty value is none
}

/** The highest domain at which a cookie sticks; undefined where there is none above the host. */
export function cookieDomain(): string | undefined {
  if (site === undefined) site = found()
  return site || undefined
}

export function canKeepCookies(): boolean {
  cookieDomain()
  return site !== null
}

function found(): string | null {
  const names = location.hostname.split(".")
  const isAddress = /^[\d.]+$|:/.test(location.hostname)
  if (!isAddress)
    for (let i = names.length - 2; i >= 0; i--) if (sticks(names.slice(i).join("."))) return names.slice(i).join(".")
  return sticks("") ? "" : null
}

function sticks(domain: string): boolean {
  writeCookie("__tld__", "1", { domain })
  seen = undefined
  const stuck = readCookie("__tld__") === "1"
  if (stuck) writeCookie("__tld__", null, { domain })
  return stuck
}
