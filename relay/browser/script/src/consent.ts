/**
 * Consent: `analytics.consent({C0001: true, …})` says what the visitor agreed to, at load and at every change.
 *
 * It is remembered, put into `context.consent` of every event, and kept to by destinations that are mapped to
 * categories: one needs all of its. Where nothing was ever said nothing is held back. What counts is what the event
 * says: a source middleware, such as consent wrappers have, may have written it.
 */

import type { Event, Settings } from "./types"
import type { Stores } from "./stores"
import { isPlain, type Data } from "./values"

export const CHANGED = "Segment Consent Preference Updated"
export const KEY = "relay-consent"

export interface Consent {
  /** Whether anything is different from before. */
  set(preferences: Data): boolean
  stamp(event: Event): void
  /** Whether the destination `name` may have the event. */
  grants(name: string, event: Event): boolean
  /** Whether its code may be loaded: not before the visitor agreed to all of its categories. */
  grantsLoading(name: string, consent?: Data): boolean
  /** Whether relay itself may: not when every destination is mapped, and no category of theirs was granted. */
  grantsSending(event: Event): boolean
}

export function consentIn(kept: Stores, { integrations, remotePlugins, consentSettings = {} }: Settings): Consent {
  const given = (): Record<string, boolean> | undefined => {
    const found = kept.get(KEY)
    return isPlain(found) ? found : undefined
  }

  const categoriesOf = (name: string): string[] => {
    const mapped = integrations[name] ?? remotePlugins?.find((one) => one.name === name)?.settings
    return mapped?.consentSettings?.categories ?? []
  }

  const isGrantedIn = (consent: Data) => (category: string) => consent?.categoryPreferences?.[category] === true

  return {
    set(preferences) {
      const before = JSON.stringify(given())
      const now = Object.fromEntries(
        Object.keys(preferences)
          .sort()
          .map((name) => [name, preferences[name] === true]),
      )
      kept.set(KEY, now)
      return before !== JSON.stringify(now)
    },
    stamp({ context }) {
      const categoryPreferences = given()
      if (categoryPreferences) context.consent = { ...context.consent, categoryPreferences }
    },
    grants(name, { context: { consent } }) {
      return !consent || categoriesOf(name).every(isGrantedIn(consent))
    },
    grantsLoading(name, consent = { categoryPreferences: given() }) {
      return categoriesOf(name).every(isGrantedIn(consent))
    },
    grantsSending({ event, context: { consent } }) {
      const { allCategories = [], hasUnmappedDestinations } = consentSettings
      if (!consent || hasUnmappedDestinations !== false || !allCategories.length || event === CHANGED) return true
      return allCategories.some(isGrantedIn(consent))
    },
  }
}
