/** Functions that a page puts between its calls and what they cause: `({payload, next, integrations})`. */

import { Cancelled, type Context } from "./context"
import type { Plugin } from "./plugins"
import { CALLS, type Event } from "./types"
import { clone, isThenable, type Data } from "./values"

export interface Payload extends Data {
  obj: Event
}

export type Middleware = (given: {
  payload: Payload
  next: (payload?: Payload | null) => void
  integrations?: Data
  integration?: string
}) => unknown

const FIELDS =
  "type event name category userId anonymousId groupId previousId messageId timestamp properties traits context"

/** An event as middleware sees it: a copy to change, in `obj`, and its fields as methods. */
function payloadOf(event: Event): Payload {
  const obj = clone(event)
  const payload: Payload = { obj, rawEvent: () => obj, json: () => clone(obj), action: () => obj.type }
  payload.field = (name: string) => obj[name]
  payload.proxy = (path: string) => path.split(".").reduce((at: any, name) => at?.[name], obj)
  for (const name of FIELDS.split(" ")) payload[name] = () => obj[name]
  return payload
}

/** What `middleware` makes of an event, null without `next`. At once, unless it takes its time. */
function passed(middleware: Middleware, event: Event, more: Data): Event | null | PromiseLike<Event | null> {
  let result: Event | null = null
  const next = (payload?: Payload | null) => {
    result = payload === undefined ? event : payload && payload.obj
  }
  const running = middleware({ payload: payloadOf(event), next, ...more })
  return isThenable(running) ? running.then(() => result) : result
}

/** As a plug-in that comes before all others. Without `next` the event goes nowhere, not even to the server. */
export function sourceMiddleware(middleware: Middleware, destinations: () => Data): Plugin {
  const apply = (context: Context) => {
    const take = (event: Event | null) => {
      if (event === null) throw new Cancelled("next was not called")
      context.event = event
    }
    const result = passed(middleware, context.event, { integrations: destinations() })
    return isThenable(result) ? result.then(take as (event: unknown) => void) : take(result)
  }
  return { name: "Source Middleware", type: "before", ...Object.fromEntries(CALLS.map((name) => [name, apply])) }
}

/** The event for one destination, after all middleware for it; null when it shall not have it. */
export async function forDestination(event: Event, integration: string, all: Middleware[]): Promise<Event | null> {
  let current: Event | null = clone(event)
  for (const middleware of all) {
    if (current === null) break
    current = await passed(middleware, current, { integration })
  }
  return current
}
