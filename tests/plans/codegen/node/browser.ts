// Calls of the browser's file for shop.json. The compiler must refuse the lines that say so, and no other.
import { Analytics as Full, AnalyticsBrowser } from "@segment/analytics-next"
import type { Context } from "@segment/analytics-next"
import { Tracker } from "./shop.browser"
import type { IdentifyTraits, OrderCompleted } from "./shop.browser"

const tracker = new Tracker(AnalyticsBrowser.load({ writeKey: "key" }))
new Tracker(new Full({ writeKey: "key" })).cartViewed()
new Tracker((globalThis as unknown as { analytics: AnalyticsBrowser }).analytics).cartViewed()
new Tracker({ track: () => {} }) // refused

const order: OrderCompleted = { order_id: "o-1", products: [{ sku: "a", "unit price": 1.5 }], currency: "EUR" }
const sent: Promise<Context> = tracker.orderCompleted(order)
tracker.orderCompleted({ ...order, revenue: null, is_gift: true, app: "shop", paid_at: new Date(), address: null })
tracker.orderCompleted({ ...order, notes: { a: "b" }, details: { a: [1] } }, { timestamp: new Date() })
tracker.orderCompleted(order, { anonymousId: "a", context: { ip: "192.0.2.1" }, integrations: { All: false } })
tracker.orderCompletedV2({ id: 3 })
tracker.cartViewed({ app: "admin" })
tracker.paid({ card: "c" })
tracker.paid({ iban: "i" })
const traits: IdentifyTraits = { email: "jane@example.com", plan: null }
tracker.identify("u", traits)
tracker.identify(null, traits)
tracker.group("g", { name: "Acme" })
tracker.group("g")
tracker.page({ section: "top" }, { name: "Home", category: "Docs" })

const wrong: Promise<string> = tracker.orderCompleted(order) // refused
tracker.orderCompleted() // refused
tracker.orderCompleted({ order_id: "o-1", products: [] }) // refused
tracker.orderCompleted({ ...order, order_id: 1 }) // refused
tracker.orderCompleted({ ...order, currency: "DKK" }) // refused
tracker.orderCompleted({ ...order, revenu: 1 }) // refused
tracker.orderCompleted({ ...order, is_gift: false }) // refused
tracker.orderCompleted({ ...order, app: "blog" }) // refused
tracker.orderCompleted({ ...order, products: [{ quantity: 1 }] }) // refused
tracker.orderCompleted({ ...order, address: { city: "Bonn", zip: "1" } }) // refused
tracker.orderCompleted({ ...order, notes: { a: 1 } }) // refused
tracker.orderCompleted(order, { anonymous: "a" }) // refused
tracker.orderCompletedV2(order) // refused
tracker.orderCompletedV3({ id: 3 }) // refused
tracker.orderComplete(order) // refused
tracker.cartViewed({ total: 3 }) // refused
tracker.paid({}) // refused
tracker.identify("u", { plan: "free" }) // refused
tracker.identify("u", { email: "e", plan: "gold" }) // refused
tracker.group({ name: "Acme" }) // refused
tracker.page({ url: "/" }) // refused

export { sent, wrong }
