// Makes calls of shop.json's file with Segment's SDK for Node.js. Arguments: the host and the write key.
import { Analytics } from '@segment/analytics-node'
import { Tracker } from './shop.node.js'

const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey })
analytics.on('error', (error) => {
  console.error(error)
  process.exitCode = 1
})
const tracker = new Tracker(analytics)
const userId = 'u'
const properties = {
  order_id: 'o-1',
  currency: 'EUR',
  products: [{ sku: 'a', quantity: 2, 'unit price': 1.5 }],
  paid_at: new Date(),
}
tracker.orderCompleted({ userId, properties, messageId: 'order', context: { ip: '192.0.2.1' } })
const context = { protocols: { by: 'hand' } }
tracker.orderCompletedV2({ userId, properties: { id: 3 }, messageId: 'order-2', context })
tracker.cartViewed({ anonymousId: 'a', messageId: 'cart' })
tracker.page({ userId, name: 'Home', properties: { url: '/', section: 'top' }, messageId: 'page' })
tracker.identify({ userId, traits: { email: 'jane@example.com' }, messageId: 'identify' })
tracker.group({ userId, groupId: 'g', traits: { name: 'Acme' }, messageId: 'group' })
await analytics.closeAndFlush({ timeout: 30000 })
