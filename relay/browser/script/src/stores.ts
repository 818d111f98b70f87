/**
 * Where ids and traits live: localStorage and cookies together, or memory when the page wants or can have nothing else.
 *
 * Values are read anew at every event, so that what one tab does holds in all. Formats are those of analytics.js:
 * JSON in localStorage, strings as they are in cookies; older versions quoted them there too, and both are read.
 */

import { canKeepCookies, readCookie, writeCookie } from "./cookies"
import type { CookieOptions } from "./types"
import { attempt, isString, parsed } from "./values"

export interface Store {
  isShared?: boolean // with the subdomains
  get(key: string): unknown
  set(key: string, value: unknown): void
  remove(key: string): void
}

// numbers in particular are not for JSON.parse: long ids would lose their last digits
export function decoded(text: string | null): unknown {
  if (text === null || text === "" || text === "null") return null
  return /^["{[]/.test(text) ? (parsed(text) ?? text) : text
}

let isLocal: boolean | undefined // asked once: it waits for the browser

export const canKeepLocally = (): boolean =>
  (isLocal ??=
    attempt(() => {
      localStorage.setItem("__relay__", "1")
      localStorage.removeItem("__relay__")
      return true
    }) ?? false)

const local: Store = {
  get: (key) => decoded(localStorage.getItem(key)),
  set: (key, value) => localStorage.setItem(key, JSON.stringify(value)),
  remove: (key) => localStorage.removeItem(key),
}

const cookies = (options?: CookieOptions): Store => ({
  isShared: true,
  get: (key) => decoded(readCookie(key)),
  set: (key, value) => writeCookie(key, isString(value) ? value : JSON.stringify(value), options),
  remove: (key) => writeCookie(key, null, options),
})

export function memory(): Store {
  const kept = new Map<string, unknown>()
  return { get: (key) => kept.get(key), set: (key, value) => kept.set(key, value), remove: (key) => kept.delete(key) }
}

/** The usable ones among `names`, in their order. */
export function stores(names: readonly string[], options?: CookieOptions): Store[] {
  const usable = names.flatMap((name) => {
    if (name === "localStorage") return canKeepLocally() ? [local] : []
    return name === "cookie" && canKeepCookies() ? [cookies(options)] : []
  })
  return usable.length ? usable : [memory()]
}

/** Several stores that are kept at one value. */
export interface Stores {
  /**
   * The first value found; `isShared`: a cookie's first, for all subdomains. The first time it is written to those that
   * have another, and to cookies, which so last for a year after the last visit. Not later: localStorage learns late of
   * what other tabs did, and would bring back whom they reset.
   */
  get(key: string, isShared?: boolean): unknown
  /** Null takes it away. */
  set(key: string, value: unknown): void
}

export function together(all: Store[]): Stores {
  const renewed = new Set<string>()

  const set = (key: string, value: unknown): void => {
    for (const store of all) attempt(() => (value === null ? store.remove(key) : store.set(key, value)))
  }

  const get = (key: string, isShared?: boolean): unknown => {
    const found = all.map((store) => attempt(() => store.get(key)) ?? null)
    const shared = isShared ? found[all.findIndex((store) => store.isShared)] : null
    const value = shared ?? found.find((one) => one !== null) ?? null
    if (value !== null && !renewed.has(key))
      all.forEach((store, i) => {
        if (store.isShared || found[i] !== value) attempt(() => store.set(key, value))
      })
    renewed.add(key)
    return value
  }

  return { get, set }
}
