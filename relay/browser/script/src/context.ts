/** What travels through the plug-ins, and what a call's promise gives: an event with what became of it. */

import type { Event } from "./types"
import { put, uuid } from "./values"

export class Cancelled extends Error {}

export interface Context {
  event: Event
  id: string
  attempts: number
  /** Set a field, by its path; a destination that is switched off stays off. */
  updateEvent(path: string, value: unknown): Event
  cancel(reason?: unknown): never
  log(level: string, message: string, extras?: object): void
  logs(): object[]
  failedDelivery(): { reason: unknown } | undefined
  setFailedDelivery(failure: { reason: unknown }): void
}

export function contextOf(event: Event): Context {
  const notes: object[] = []
  let failed: { reason: unknown } | undefined
  const context: Context = {
    event,
    id: uuid(),
    attempts: 0,
    updateEvent(path, value) {
      const [first, name = ""] = path.split(".")
      if (first !== "integrations" || context.event.integrations[name] !== false) put(context.event, path, value)
      return context.event
    },
    cancel(reason = new Cancelled()) {
      throw reason
    },
    log: (level, message, extras) => void notes.push({ level, message, extras }),
    logs: () => notes,
    failedDelivery: () => failed,
    setFailedDelivery: (failure) => void (failed = failure),
  }
  return context
}
