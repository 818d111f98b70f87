/**
 * Requests to relay. No header that a browser would ask about first: the key is in the body, which is `text/plain`.
 *
 * `keepalive` lets a request outlive its page. Browsers allow 64 KB of them at a time; what is more goes without.
 */

import { attempt, isFunction, type Data } from "./values"

export const KEEPALIVE_BYTES = 60_000 // of the browser's 65,536, which other scripts share
const SECONDS = 30 // for an answer

/** What became of a request; with `retry`, after how many milliseconds when the server said so. */
export type Outcome = ["success" | "failure" | "retry", after?: number]

const NEVER = [501, 505, 511] // of 5xx: as analytics.js has it
const LATER = [408, 410, 429, 460] // of 4xx

let alive = 0 // bytes on their way with keepalive

export const bytes = (text: string): number => new TextEncoder().encode(text).length

export async function post(url: string, body: string, config: Data): Promise<Outcome> {
  const size = bytes(body)
  const keepalive = alive + size <= KEEPALIVE_BYTES
  if (keepalive) alive += size
  try {
    const { headers, credentials, priority } = config
    const response = await fetch(url, {
      method: "POST",
      body,
      keepalive,
      credentials,
      priority,
      headers: isFunction(headers) ? headers() : headers,
      signal: AbortSignal.timeout?.(SECONDS * 1000),
    })
    return outcome(response)
  } catch {
    return ["retry"]
  } finally {
    if (keepalive) alive -= size
  }
}

function outcome({ status, headers }: Response): Outcome {
  if (status < 400) return ["success"]
  const isTemporary = status >= 500 ? !NEVER.includes(status) : LATER.includes(status)
  return isTemporary ? ["retry", milliseconds(headers.get("Retry-After"))] : ["failure"]
}

// whole seconds, or a date
function milliseconds(text: string | null): number | undefined {
  const found = text === null ? NaN : /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isNaN(found) ? undefined : Math.max(found, 0)
}

/** Whether the browser took it on, to send when the page is gone. */
export const beacon = (url: string, body: string): boolean | undefined => attempt(() => navigator.sendBeacon(url, body))
