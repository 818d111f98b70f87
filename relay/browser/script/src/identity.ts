/** Who the visitor is, and which group they belong to: ids and traits under the names that analytics.js gave them. */

import { readCookie } from "./cookies"
import { decoded, memory, stores, together } from "./stores"
import type { CookieOptions, Id, IdentityOptions } from "./types"
import { isPlain, uuid, type Data } from "./values"

const ANONYMOUS = "ajs_anonymous_id"

export interface User {
  /** The id; with one given, that from now on. Another person gets another anonymousId. */
  id(id?: Id): Id
  anonymousId(id?: Id): Id
  traits(traits?: Data | null): Data | undefined
  /** Take up what an identify says: traits add up for as long as the id stays. */
  identify(id: Id, traits: Data): void
  logout(): void
  reset(): void
}

export function userOf(options: IdentityOptions, cookie?: CookieOptions, name = "user", traitsName = "traits"): User {
  const { disable, persist, localStorageFallbackDisabled } = options
  const idKey = options.cookie?.key ?? `ajs_${name}_id`
  const traitsKey = options.localStorage?.key ?? `ajs_${name}_${traitsName}`
  const isUser = name === "user"
  const names = (options.storage?.stores ?? ["localStorage", "cookie"]).filter(
    (one) => persist !== false && !(localStorageFallbackDisabled && one === "localStorage"),
  )
  const ids = together(disable ? [memory()] : stores(names, cookie))
  const kept = together(stores(names.filter((one) => one !== "cookie"))) // traits are too large for a header

  const text = (key: string, isShared?: boolean): string | null => {
    const value = ids.get(key, isShared)
    return value === null ? null : String(value)
  }

  const id = (now?: Id): Id => {
    if (disable) return null
    const before = text(idKey)
    if (now === undefined) return before ?? (isUser ? old() : null)
    ids.set(idKey, now)
    if (before !== null && now !== null && before !== now) anonymousId(null)
    return now
  }

  const anonymousId = (now?: Id): Id => {
    if (!isUser) return undefined
    if (disable) return null
    if (now === null) {
      ids.set(ANONYMOUS, null)
      return null
    }
    const known = now || text(ANONYMOUS, true)
    if (known && now === undefined) return known
    const made = known ?? readCookie("_sio")?.split("----")[0] ?? uuid()
    ids.set(ANONYMOUS, made)
    return made
  }

  const traits = (now?: Data | null): Data | undefined => {
    if (disable) return undefined
    if (now !== undefined) kept.set(traitsKey, now ?? {})
    const found = kept.get(traitsKey)
    return isPlain(found) ? found : {}
  }

  const reset = () => {
    if (isUser) ids.set(ANONYMOUS, null)
    ids.set(idKey, null)
    kept.set(traitsKey, null)
  }

  return {
    id,
    anonymousId,
    traits,
    identify(now, more) {
      if (disable) return
      const before = id()
      const all = before == null || before === now ? { ...traits(), ...more } : more
      if (now) id(now)
      traits(all)
    },
    logout: reset,
    reset,
  }
}

// the cookie that analytics.js had before 2013
function old(): Id {
  const user = decoded(readCookie("ajs_user"))
  return isPlain(user) ? user.id : (user as Id)
}
