// Calls of the file for Node.js for shop.json. The compiler must refuse the lines that say so, and no other.
import { Analytics } from "@segment/analytics-node"
import { Tracker } from "./shop.node"
import type { OrderCompleted } from "./shop.node"

const tracker = new Tracker(new Analytics({ writeKey: "key" }))
new Tracker({ track: () => {} }) // refused

const userId = "u"
const order: OrderCompleted = { order_id: "o-1", products: [{ sku: "a", "unit price": 1.5 }], currency: "EUR" }
tracker.orderCompleted({ userId, properties: order })
tracker.orderCompleted({ anonymousId: "a", properties: { ...order, revenue: null, is_gift: true, app: "shop" } })
tracker.orderCompleted({ userId, properties: order, messageId: "m", timestamp: "2026-01-01T00:00:00Z" })
tracker.orderCompleted({ userId, properties: order, context: { ip: "192.0.2.1" } }, (error) => console.error(error))
tracker.orderCompletedV2({ userId, properties: { id: 3 }, integrations: { All: false } })
tracker.cartViewed({ userId })
tracker.cartViewed({ userId, properties: { app: "admin" } })
tracker.paid({ userId, properties: { card: "c" } })
tracker.identify({ userId, traits: { email: "jane@example.com", plan: null } })
tracker.group({ userId, groupId: "g" })
tracker.page({ userId, name: "Home", category: "Docs", properties: { url: "/", section: "top" } })

tracker.orderCompleted({ userId }) // refused
tracker.orderCompleted({ properties: order }) // refused
tracker.orderCompleted({ user: "u", properties: order }) // refused
tracker.orderCompleted({ userId, properties: { order_id: "o-1", products: [] } }) // refused
tracker.orderCompleted({ userId, properties: { ...order, order_id: 1 } }) // refused
tracker.orderCompleted({ userId, properties: { ...order, currency: "DKK" } }) // refused
tracker.orderCompleted({ userId, properties: { ...order, revenu: 1 } }) // refused
tracker.orderCompleted({ userId, propertys: {}, properties: order }) // refused
tracker.orderCompleted({ userId, properties: { ...order, products: [{ quantity: 1 }] } }) // refused
tracker.orderCompleted({ userId, properties: { ...order, address: { city: "Bonn", zip: "1" } } }) // refused
tracker.orderCompletedV2({ userId, properties: order }) // refused
tracker.orderComplete({ userId, properties: order }) // refused
tracker.cartViewed({ userId, properties: { total: 3 } }) // refused
tracker.paid({ userId, properties: {} }) // refused
tracker.identify({ userId, traits: { plan: "free" } }) // refused
tracker.group({ userId, traits: { name: "Acme" } }) // refused
tracker.page({ userId, properties: { section: "top" } }) // refused
