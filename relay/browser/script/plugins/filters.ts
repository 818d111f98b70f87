/**
 * Filters of destinations, for relay's analytics.js: the settings' routing rules as relay writes them (relay/destinations/fql/rules.py).
 *
 * An event is asked as JSON, as relay would get it. What is not understood throws, and then the event is not given on.
 */

import { page } from "./common"
import type { Middleware } from "../src/middleware"
import { isPlain, isString, type Data } from "../src/values"

type Tree = any // a path, a constant, or an operator and its arguments
type Char = (char: string) => boolean

export interface Rule {
  matchers: { type: string; ir: string }[]
  transformers: { type: string; config?: Data }[][]
}

const read = (event: unknown, path: string): unknown =>
  path.split(".").reduce((at: any, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : null), event)

const isObject = (value: unknown): value is Data => typeof value === "object" && value !== null

function same(one: any, other: any): boolean {
  if (!isObject(one) || !isObject(other)) return one === other
  const keys = Object.keys(one)
  const isAlike = Array.isArray(one) === Array.isArray(other) && keys.length === Object.keys(other).length
  return isAlike && keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]))
}

function length(value: unknown): number {
  if (isString(value)) return new TextEncoder().encode(value).length
  return value === null ? 0 : Array.isArray(value) ? value.length : NaN
}

const compare = (holds: (one: number, other: number) => boolean) => (one: any, other: any) =>
  typeof one === "number" && typeof other === "number" && holds(one, other)

const OPERATORS: Record<string, (...values: any[]) => unknown> = {
  "=": same,
  "!=": (one, other) => !same(one, other),
  "<": compare((one, other) => one < other),
  "<=": compare((one, other) => one <= other),
  ">": compare((one, other) => one > other),
  ">=": compare((one, other) => one >= other),
  contains: (text, part) => isString(text) && isString(part) && text.includes(part),
  match: (text, pattern) => isString(text) && isString(pattern) && globs(pattern, text),
  lowercase: (text) => (isString(text) ? text.toLowerCase() : null),
  typeof: (value) => typeof value,
  length,
}

function evaluate(tree: Tree, event: Data): unknown {
  if (isString(tree)) return read(event, tree)
  if (!Array.isArray(tree)) return tree.value ?? null
  const [operator, ...given] = tree
  const of = (one: Tree) => evaluate(one, event)
  if (operator === "and") return given.every(of)
  if (operator === "or") return given.some(of)
  if (operator === "!") return !of(given[0])
  if (operator === "in") return given[1].some((one: Tree) => same(of(one), of(given[0])))
  return OPERATORS[operator]!(...given.map(of))
}

/** Whether all of `text` matches: between stars the first place where a piece fits is as good as any later one. */
function globs(pattern: string, text: string): boolean {
  const chars = [...text]
  const pieces = piecesOf([...pattern])
  const fits = (piece: Char[], at: number) => at + piece.length <= chars.length && piece.every((is, i) => is(chars[at + i]!))
  const [first, last] = [pieces.shift()!, pieces.pop()]
  if (!fits(first, 0)) return false
  if (!last) return first.length === chars.length
  let at = first.length
  for (const piece of pieces) {
    while (!fits(piece, at)) if (at++ >= chars.length) return false
    at += piece.length
  }
  const end = chars.length - last.length
  return end >= at && fits(last, end)
}

function piecesOf(pattern: string[]): Char[][] {
  const pieces: Char[][] = [[]]
  while (pattern.length) {
    if (pattern[0] !== "*") pieces.at(-1)!.push(charOf(pattern))
    else pieces.push([]), pattern.shift()
  }
  return pieces
}

function charOf(pattern: string[]): Char {
  if (pattern[0] !== "?" && pattern[0] !== "[") {
    const char = literal(pattern)
    return (one) => one === char
  }
  return pattern.shift() === "?" ? () => true : classOf(pattern)
}

function classOf(pattern: string[]): Char {
  const isNegated = pattern[0] === "^" && pattern.shift()
  const ranges: [number, number][] = []
  while (pattern[0] !== "]") {
    const low = code(literal(pattern))
    const isRange = pattern[0] === "-" && pattern.shift()
    ranges.push([low, isRange ? code(literal(pattern)) : low])
  }
  pattern.shift()
  return (char) => ranges.some(([low, high]) => low <= code(char) && code(char) <= high) !== Boolean(isNegated)
}

const code = (char: string): number => char.codePointAt(0)!

function literal(pattern: string[]): string {
  const char = pattern.shift()!
  return char === "\\" ? pattern.shift()! : char
}

/** Change what is at each path: an object, or all of a list. */
function at(event: Data, paths: Data, change: (parent: Data, keys: string[]) => void): void {
  for (const [path, keys] of Object.entries(paths))
    for (const parent of [read(event, path)].flat()) if (isPlain(parent)) change(parent, keys)
}

const CHANGES: Record<string, (event: Data, config: Data) => boolean | void> = {
  drop: () => false,
  sample_event: (_, { sample }) => Math.random() < sample.percent,
  drop_properties: (event, { drop }) =>
    at(event, drop, (parent, keys) => keys.forEach((key) => delete parent[key])),
  allow_properties: (event, { allow }) =>
    at(event, allow, (parent, keys) =>
      Object.keys(parent).forEach((key) => keys.includes(key) || delete parent[key]),
    ),
}

/** Whether the event, which is changed, is for the destination. */
function passes(event: Data, { matchers, transformers }: Rule): boolean {
  return matchers.every(({ type, ir }, i) => {
    const isMatch = type === "all" || evaluate(JSON.parse(ir), JSON.parse(JSON.stringify(event)))
    return !isMatch || transformers[i]!.every(({ type, config = {} }) => CHANGES[type]!(event, config) !== false)
  })
}

/** Middleware that keeps to the rules of one destination. */
page["relay:filters"] =
  (rules: Rule[]): Middleware =>
  ({ payload, next }) =>
    next(rules.every((rule) => passes(payload.obj, rule)) ? payload : null)
