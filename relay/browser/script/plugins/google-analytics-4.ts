/** Google Analytics 4: events as relay's own destination of that type names them, and what they carry. */

import { offer, scalars } from "./common"
import { gtag, tag } from "./gtag"
import type { Data } from "../src/values"

const NAMES: Data = {
  "Order Completed": "purchase",
  "Order Refunded": "refund",
  "Product Added": "add_to_cart",
  "Product Removed": "remove_from_cart",
  "Product Viewed": "view_item",
  "Product Clicked": "select_item",
  "Product List Viewed": "view_item_list",
  "Product Added to Wishlist": "add_to_wishlist",
  "Cart Viewed": "view_cart",
  "Checkout Started": "begin_checkout",
  "Payment Info Entered": "add_payment_info",
  "Promotion Viewed": "view_promotion",
  "Promotion Clicked": "select_promotion",
  "Products Searched": "search",
  "Signed Up": "sign_up",
  "Signed In": "login",
}
const ONE = /^Product (Added|Removed|Viewed|Clicked)|^Promotion/ // the properties are those of one product

const given = (data: Data): Data => JSON.parse(JSON.stringify(data)) // without what is undefined

const item = (it: Data): Data => ({
  item_id: it.product_id ?? it.sku,
  item_name: it.name,
  affiliation: it.affiliation,
  coupon: it.coupon,
  index: it.position,
  item_brand: it.brand,
  item_category: it.category,
  item_variant: it.variant,
  price: it.price,
  quantity: it.quantity,
})

function parameters(name: string, it: Data): Data {
  const isOrder = name === "Order Completed" || name === "Order Refunded"
  const isPromotion = name.startsWith("Promotion")
  return given({
    currency: it.currency,
    value: isOrder ? (it.total ?? it.revenue) : it.value,
    coupon: it.coupon,
    items: it.products?.map(item) ?? (ONE.test(name) ? [item(it)] : undefined),
    ...(isOrder && { transaction_id: it.order_id, affiliation: it.affiliation, shipping: it.shipping, tax: it.tax }),
    ...(isPromotion && { promotion_id: it.promotion_id, promotion_name: it.name, creative_slot: it.creative }),
    ...(name === "Product List Viewed" && { item_list_id: it.list_id, item_list_name: it.category }),
    payment_type: it.payment_method,
    search_term: it.query,
    method: name === "Signed Up" ? it.type : it.method,
  })
}

offer("google-analytics-4", ({ measurementId }) => {
  const send = (name: string, about: Data) => gtag("event", name, { ...about, send_to: measurementId })
  return {
    ...tag(measurementId),
    track({ event, properties = {} }) {
      const name = NAMES[event]
      if (name) send(name, parameters(event, properties))
      else send(event.replace(/\s+/g, "_"), scalars(properties))
    },
    page: ({ context: { page = {} } }) =>
      send("page_view", given({ page_location: page.url, page_referrer: page.referrer, page_title: page.title })),
    identify({ userId, traits }) {
      if (userId) gtag("set", { user_id: userId })
      gtag("set", "user_properties", scalars(traits))
    },
  }
})
