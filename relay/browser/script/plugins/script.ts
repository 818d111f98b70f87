/** Any tool's script. What it is told is data: `$.path` in the arguments of a call is a value of the event. */

import { offer, page, stub } from "./common"
import type { Event, Kind } from "../src/types"
import type { Data } from "../src/values"

const at = (event: Event, path: string): unknown => path.split(".").reduce((found: any, name) => found?.[name], event)

const filled = (given: any, event: Event): unknown =>
  typeof given === "string"
    ? given.startsWith("$.") ? at(event, given.slice(2)) : given
    : Array.isArray(given)
      ? given.map((one) => filled(one, event))
      : given && typeof given === "object"
        ? Object.fromEntries(Object.entries(given).map(([name, one]) => [name, filled(one, event)]))
        : given

offer("script", ({ url, attributes, globals = {}, function: called = "", calls = {} }: Data) => {
  const [first, method] = called.split(".")
  let queue: unknown
  const call = (kind: Kind) => (event: Event) => {
    if (!calls[kind]) return
    const args = filled(calls[kind], event) as unknown[]
    if (method) page[first][method](...args)
    else page[first](...args)
  }
  return {
    url,
    attributes,
    prepare() {
      for (const [name, value] of Object.entries(globals)) page[name] ??= value
      if (!first || method || page[first]) return
      stub(first, (args) => (page[first].q ??= []).push(args))
      queue = page[first]
    },
    // of a page's own script nothing more can be known, if it has no function
    isThere: (isLoaded) =>
      isLoaded || (first ? Boolean(page[first]) && page[first] !== queue : hasRun(url)),
    ...Object.fromEntries(["track", "page", "identify", "group", "alias"].map((kind) => [kind, call(kind as Kind)])),
  }
})

const hasRun = (url: string): boolean =>
  document.readyState === "complete" && [...document.scripts].some(({ src }) => src === url)
