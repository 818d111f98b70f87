/** Meta's pixel. `eventID` is the messageId, as with the Conversions API: what comes by both ways counts once. */

import { offer, page, scalars, stub } from "./common"
import type { Data } from "../src/values"

const NAMES: Data = {
  "Product Viewed": "ViewContent",
  "Products Searched": "Search",
  "Product Added": "AddToCart",
  "Checkout Started": "InitiateCheckout",
  "Order Completed": "Purchase",
  "Product Added to Wishlist": "AddToWishlist",
  "Payment Info Entered": "AddPaymentInfo",
  "Signed Up": "CompleteRegistration",
}

function worth(it: Data): Data {
  const products: Data[] = it.products ?? (it.product_id || it.sku ? [it] : [])
  const contents = products
    .map(({ product_id, sku, quantity, price }) => ({ id: product_id ?? sku, quantity: quantity ?? 1, item_price: price }))
    .filter(({ id }) => id)
  return {
    ...(it.currency && { currency: it.currency.toUpperCase() }),
    value: it.revenue ?? it.value ?? it.total ?? it.price,
    search_string: it.query,
    ...(contents.length && { contents, content_ids: contents.map(({ id }) => id), content_type: "product" }),
  }
}

offer("facebook-conversions-api", ({ pixelId }) => ({
  url: "https://connect.facebook.net/en_US/fbevents.js",
  prepare() {
    const queue: unknown[] = []
    stub("fbq", (args) => (page.fbq.callMethod ? page.fbq.callMethod(...args) : page.fbq.queue.push(args)))
    const { fbq } = page
    if (!fbq.queue) Object.assign(fbq, { queue, push: fbq, loaded: true, version: "2.0", disablePushState: true })
    page._fbq ??= fbq
  },
  isThere: () => page.fbq?.callMethod,
  start: ({ id, anonymousId, traits }) =>
    page.fbq("init", pixelId, scalars({ external_id: id ?? anonymousId, em: traits.email, ph: traits.phone })),
  page: ({ messageId }) => page.fbq("trackSingle", pixelId, "PageView", {}, { eventID: messageId }),
  track({ event, properties = {}, messageId }) {
    const name = NAMES[event]
    if (!name) return page.fbq("trackSingleCustom", pixelId, event, scalars(properties), { eventID: messageId })
    page.fbq("trackSingle", pixelId, name, JSON.parse(JSON.stringify(worth(properties))), { eventID: messageId })
  },
}))
