/** The tracking plan in the browser: an event that is not planned, or not for some destination, is marked so. */

import type { Event, Settings } from "./types"

/** Marked, it still goes to the server, which blocks it and says so in its reports. */
export function applyPlan(event: Event, plan: Settings["plan"]): void {
  const track = plan?.track
  if (!track || event.type !== "track") return
  const planned = Object.hasOwn(track, event.event) ? track[event.event] : undefined
  if (!(planned?.enabled ?? track.__default?.enabled ?? true))
    event.integrations = { ...event.integrations, All: false, "Segment.io": true }
  else if (planned?.integrations) event.integrations = { ...event.integrations, ...planned.integrations }
}
