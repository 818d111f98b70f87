/** Amplitude, by an instance of its own. `insert_id` is the messageId, as relay sends it. */

import { offer, page } from "./common"
import type { Event } from "../src/types"

const VERSION = "2.48.1"

offer("amplitude", ({ apiKey, endpoint }) => {
  let own: any
  const about = ({ messageId, timestamp, userId, anonymousId }: Event) => ({
    insert_id: messageId,
    time: +new Date(timestamp),
    ...(userId && { user_id: userId }),
    ...(anonymousId && { device_id: anonymousId }),
  })
  return {
    url: `https://cdn.amplitude.com/libs/analytics-browser-${VERSION}-min.js.gz`,
    isThere: () => page.amplitude?.Types, // which its own snippet has not before
    start({ id, anonymousId }) {
      own = page.amplitude.createInstance("relay")
      const serverZone = endpoint === "europe" ? "EU" : "US"
      own.init(apiKey, id ?? undefined, { deviceId: anonymousId, serverZone, autocapture: false })
    },
    track(event) {
      const { revenue, currency } = event.properties ?? {}
      own.track(event.event, event.properties, { ...about(event), ...(revenue && { revenue, currency }) })
    },
    page: (event) => own.track(["Viewed", event.name, "Page"].filter(Boolean).join(" "), event.properties, about(event)),
    identify(event) {
      const changes = new page.amplitude.Identify()
      for (const [name, value] of Object.entries(event.traits ?? {})) changes.set(name, value)
      if (event.userId) own.setUserId(event.userId)
      own.identify(changes, about(event))
    },
    group: ({ groupId }) => own.setGroup("group", groupId),
  }
})
