/** Making an event of a call: field by field what analytics.js makes of it. */

import type { User } from "./identity"
import type { Event, Kind } from "./types"
import { clone, put, uuid, type Data } from "./values"

// options that are fields of the event; all others belong to its context
const FIELDS = ["userId", "anonymousId", "timestamp", "messageId"]

/** `integrations` are those of the page, for every event; `page` says where it happened. */
export function eventOf(kind: Kind, fields: Data, options: Data, integrations: Data, page: Data, user: User): Event {
  if (options.anonymousId) user.anonymousId(options.anonymousId)
  const context: Data = { ...clone(options.context) }
  const event: Event = {
    timestamp: new Date(),
    ...clone(fields),
    type: kind,
    messageId: "",
    context,
    integrations: { ...switches(integrations), ...clone(options.integrations) },
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || name === "context" || name === "integrations") continue
    if (FIELDS.includes(name)) event[name] = value
    else put(context, name, clone(value))
  }
  event.messageId ||= `ajs-next-${Date.now()}-${uuid()}`
  const id = user.id()
  if (id) event.userId = id
  const anonymousId = user.anonymousId()
  if (anonymousId) event.anonymousId = anonymousId
  describePage(event, page)
  return event
}

// what the page passed to `load` is for its plug-ins; events only say on or off
function switches(integrations: Data): Data {
  return Object.fromEntries(Object.entries(integrations).map(([name, value]) => [name, Boolean(value)]))
}

function describePage(event: Event, page: Data): void {
  const said: Data = {}
  if (event.type === "page") {
    for (const name of Object.keys(page))
      if (event.properties && name in event.properties) said[name] = event.properties[name]
    event.properties = { ...page, ...event.properties, ...(event.name ? { name: event.name } : {}) }
  }
  event.context.page = { ...page, ...said, ...event.context.page }
}
