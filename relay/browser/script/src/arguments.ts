/**
 * The calls in all the orders of arguments that analytics.js takes: what may be left out, may be left out anywhere.
 *
 * Of each comes what the event says, in the order in which listeners are told, then options and callback.
 */

import type { User } from "./identity"
import type { Kind } from "./types"
import { isFunction, isPlain, isString, type Data } from "./values"

export type Callback = ((context: any) => unknown) | undefined
type Read = (args: unknown[], user: User) => [fields: Data, options: Data | undefined, callback: Callback]

const callbackIn = (args: unknown[]): Callback => args.find(isFunction)
const text = (value: unknown): unknown => (typeof value === "number" ? String(value) : value)
const plain = (value: unknown): Data | undefined => (isPlain(value) ? value : undefined)

/** (event, properties?, options?, callback?), or the first two as one object. */
const track: Read = (args) => {
  const [first, ...rest] = args
  const [event, properties, options] = isPlain(first) ? [first.event, first.properties, rest[0]] : [first, ...rest]
  if (!event || !isString(event)) throw new Error("Event missing")
  return [{ event, properties: plain(properties) ?? {} }, plain(options), callbackIn(args)]
}

/** ([category], [name], properties?, options?, callback?): one string is a name. */
const view: Read = (args) => {
  const strings = args.filter(isString)
  const [category, name] = strings.length > 1 ? strings : [undefined, ...strings]
  const objects = args.filter(isPlain)
  const [properties, options] = objects.length < 2 && isPlain(args[3]) ? [{}, args[3]] : objects
  return [{ category, name, properties: { ...properties } }, options, callbackIn(args)]
}

const page: Read = (args, user) => {
  const call = view(args, user)
  const [{ category, properties }] = call
  if (category !== undefined) properties.category = category
  return call
}

/** (id?, traits?, options?, callback?): what is new adds to what is known. */
const person =
  (key: string): Read =>
  (args, user) => {
    const first = text(args[0])
    const rest = isString(first) || first == null ? args.slice(1) : args
    const end = rest.findIndex(isFunction)
    const [traits, options] = end < 0 ? rest : rest.slice(0, end)
    user.identify(isString(first) ? first : user.id(), plain(traits) ?? {})
    return [{ [key]: user.id(), traits: user.traits() ?? {} }, plain(options), callbackIn(rest)]
  }

/** (to, from?, options?, callback?) */
const alias: Read = (args, user) => {
  const [userId, from] = args.map(text).filter(isString)
  return [{ userId, previousId: from ?? user.id() ?? user.anonymousId() }, args.find(isPlain), callbackIn(args)]
}

export const READ: Record<Kind, Read> = {
  track,
  page,
  screen: view,
  identify: person("userId"),
  group: person("groupId"),
  alias,
}
