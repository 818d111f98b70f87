// What Segment's evaluator and relay's make of events: {plugin, rules, events} on stdin, [[theirs, ours], …] for each rule
// and event on stdout. An event that is dropped is null.

globalThis.self = globalThis.window = globalThis
const { readFileSync } = require("node:fs")
const { createRequire } = require("node:module")
const { tsubMiddleware } = createRequire(__filename)(
  "./node_modules/@segment/analytics-next/dist/cjs/plugins/routing-middleware/index.js",
)

const { plugin, rules, events } = JSON.parse(readFileSync(0, "utf8"))
;(0, eval)(readFileSync(plugin, "utf8"))

function passed(middleware, event) {
  let result = null
  try {
    middleware({ payload: { obj: structuredClone(event) }, integration: "it", next: (payload) => (result = payload) })
  } catch (error) {
    return { threw: String(error) }
  }
  return result && result.obj
}

const both = (rule) => {
  const rules = [{ ...rule, destinationName: "it" }]
  const [theirs, ours] = [tsubMiddleware(rules), window["relay:filters"](rules)]
  return events.map((event) => [passed(theirs, event), passed(ours, event)])
}
process.stdout.write(JSON.stringify(rules.map(both)))
