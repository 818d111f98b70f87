/** Google Ads: events that are conversions, and pages. */

import { offer } from "./common"
import { gtag, tag } from "./gtag"

offer("google-ads", ({ conversionId, conversions = {} }) => ({
  ...tag(conversionId),
  track({ event, properties: { order_id, currency, value, total, revenue } = {} }) {
    const label = conversions[event]
    if (!label) return
    const worth = { value: revenue ?? total ?? value, currency, transaction_id: order_id }
    gtag("event", "conversion", { ...JSON.parse(JSON.stringify(worth)), send_to: `${conversionId}/${label}` })
  },
  page: () => gtag("event", "page_view", { send_to: conversionId }),
}))
