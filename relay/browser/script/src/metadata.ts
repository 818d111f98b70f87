/** `_metadata`: what the browser did itself, so that the server does not do it again. */

import type { Settings } from "./types"
import type { Data } from "./values"

const RELAY = "Segment.io"

export function metadataOf(settings: Settings, own: Data, failed: string[]): Data {
  const bundled = [RELAY]
  const unbundled = new Set<string>(own.unbundledIntegrations)
  for (const [name, { bundlingStatus }] of Object.entries(settings.integrations)) {
    if (bundlingStatus === "bundled" && name !== RELAY) bundled.push(name)
    if (bundlingStatus === "unbundled") unbundled.add(name)
  }
  bundled.sort()
  const metadata = failed.length ? { failedInitializations: failed } : {}
  if (own.addBundledMetadata === false) return metadata
  const bundledIds = bundled.flatMap((name) => own.maybeBundledConfigIds?.[name] ?? [])
  return { ...metadata, bundled, unbundled: [...unbundled].sort(), bundledIds }
}
