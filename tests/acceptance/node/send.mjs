// Sends the messages on stdin, one JSON object a line, with Segment's own SDK for Node.js.
// Arguments: the host, the write key, and after how many messages the SDK flushes.
import { createInterface } from 'node:readline'
import { Analytics } from '@segment/analytics-node'

const [host, writeKey, flushAt] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey, flushAt: Number(flushAt), flushInterval: 500 })

analytics.on('error', (error) => {
  console.error(error)
  process.exitCode = 1
})

for await (const line of createInterface({ input: process.stdin })) {
  const { type, ...message } = JSON.parse(line)
  analytics[type](message)
}
await analytics.closeAndFlush({ timeout: 30000 })
