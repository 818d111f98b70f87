/** The shapes that several files speak of. */

import type { Data } from "./values"

export const CALLS = ["track", "page", "identify", "group", "alias", "screen"] as const
export type Kind = (typeof CALLS)[number]
export type Id = string | null | undefined

export interface Event extends Data {
  type: Kind
  messageId: string
  timestamp: Date | string
  context: Data
  integrations: Data
}

/** The settings document of `/v1/projects/{key}/settings`, as far as it is read here. */
export interface Settings extends Data {
  integrations: Record<string, Data>
  plan?: { track?: Record<string, { enabled?: boolean; integrations?: Data }> }
  remotePlugins?: RemotePlugin[]
  consentSettings?: { allCategories?: string[]; hasUnmappedDestinations?: boolean }
}

export interface RemotePlugin {
  name: string
  creationName?: string
  url: string
  libraryName: string
  settings: Data
}

/** What the page passed to `analytics.load`. */
export interface Options extends Data {
  disable?: boolean | ((settings: Settings) => boolean | Promise<boolean>)
  disableClientPersistence?: boolean
  initialPageview?: boolean
  cookie?: CookieOptions
  storage?: { stores?: string[] }
  user?: IdentityOptions
  group?: IdentityOptions
  integrations?: Data
  plan?: Settings["plan"]
  updateCDNSettings?: (settings: Settings) => Settings
  useQueryString?: boolean | { aid?: RegExp; uid?: RegExp }
  highEntropyValuesClientHints?: string[]
  globalAnalyticsKey?: string
}

export interface CookieOptions {
  maxage?: number // days
  domain?: string
  path?: string
  secure?: boolean
  sameSite?: string
}

export interface IdentityOptions {
  disable?: boolean
  persist?: boolean
  localStorageFallbackDisabled?: boolean
  cookie?: { key?: string; oldKey?: string }
  localStorage?: { key?: string }
  storage?: { stores?: string[] }
}
