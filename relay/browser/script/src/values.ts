/** What a value is, and small things that are done to it. */

// decoded JSON, and whatever a page passes: its shape is the page's
export type Data = Record<string, any>

export const isString = (value: unknown): value is string => typeof value === "string"
export const isFunction = (value: unknown): value is (...args: any[]) => any => typeof value === "function"
export const isPlain = (value: unknown): value is Data => Object.prototype.toString.call(value) === "[object Object]"
export const isThenable = (value: any): value is PromiseLike<unknown> => isFunction(value?.then)

/** A copy that shares no object or array with `value`; dates, functions and elements stay what they are. */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(clone) as T
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, clone(inner)])) as T
}

/** Set `path`, whose dots are levels, in `target`. */
export function put(target: Data, path: string, value: unknown): void {
  if (/__proto__|prototype|constructor/.test(path)) return
  const names = path.split(".")
  const last = names.pop() as string
  let at = target
  for (const name of names) at = at[name] = isPlain(at[name]) || Array.isArray(at[name]) ? at[name] : {}
  at[last] = value
}

/** A UUID, version 4, also on pages without TLS. */
export function uuid(): string {
  if (crypto.randomUUID) return crypto.randomUUID()
  const random = crypto.getRandomValues(new Uint8Array(36))
  return "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".replace(/[xy]/g, (digit, at: number) =>
    (digit === "x" ? random[at]! & 15 : (random[at]! & 3) | 8).toString(16),
  )
}

export const sleep = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds))

/** What `what` returns, or undefined where it throws: storage may be full, closed, or hold nonsense. */
export function attempt<T>(what: () => T): T | undefined {
  try {
    return what()
  } catch {
    return undefined
  }
}

/** As in a query string; a malformed one stays as it is. */
export const unescaped = (text: string): string => attempt(() => decodeURIComponent(text.replace(/\+/g, " "))) ?? text

export const parsed = (text: string | null): any => attempt(() => JSON.parse(text!))
