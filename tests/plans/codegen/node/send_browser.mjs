// Makes calls of shop.json's file with Segment's analytics.js, and posts what it made of them: its own sending needs a
// browser. Arguments: the host and the write key.
globalThis.document = { querySelector: () => null, referrer: '', title: 'Home', addEventListener: () => {} }
globalThis.location = { href: 'https://shop.example.com/', pathname: '/', search: '', hash: '' }
const { Analytics } = await import('@segment/analytics-next')
const { Tracker } = await import('./shop.browser.js')

const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics({ writeKey }, { disableClientPersistence: true })
const batch = []
const keep = (context) => {
  batch.push(context.event)
  return context
}
const does = { track: keep, page: keep, identify: keep, group: keep }
const life = { isLoaded: () => true, load: async () => {} }
await analytics.register({ name: 'kept', type: 'destination', version: '1', ...life, ...does })

const tracker = new Tracker(analytics)
const properties = {
  order_id: 'o-1',
  currency: 'EUR',
  products: [{ sku: 'a', quantity: 2, 'unit price': 1.5 }],
  paid_at: new Date(),
}
await tracker.orderCompleted(properties, { context: { ip: '192.0.2.1' }, userId: 'u' })
await tracker.orderCompletedV2({ id: 3 }, { context: { protocols: { by: 'hand' } } })
await tracker.cartViewed()
await tracker.page({ section: 'top' }, { name: 'Home' })
await tracker.identify('u', { email: 'jane@example.com' })
await tracker.group('g', { name: 'Acme' })
const ids = ['order', 'order-2', 'cart', 'page', 'identify', 'group']
const body = JSON.stringify({ writeKey, batch: batch.map((event, n) => ({ ...event, messageId: ids[n] })) })
const headers = { 'Content-Type': 'application/json' }
const answer = await fetch(`${host}/v1/batch`, { method: 'POST', headers, body })
process.exit(answer.ok && batch.length === ids.length ? 0 : 1)
