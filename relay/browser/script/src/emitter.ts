/** Listeners: `on`, `once`, `off`, `emit`. */

type Listener = (...args: any[]) => unknown

export interface Emitter {
  on(event: string, listener: Listener): unknown
  once(event: string, listener: Listener): unknown
  off(event: string, listener: Listener): unknown
  /** Tell all listeners. One that fails does not keep it from the others. */
  emit(event: string, ...args: unknown[]): unknown
}

/** `self` is what the calls return, to be chained. */
export function emitter(self: () => unknown): Emitter {
  const all: Record<string, Listener[]> = {}
  const those = (event: string): Listener[] => all[event] ?? []

  const on = (event: string, listener: Listener) => {
    all[event] = [...those(event), listener]
    return self()
  }
  const off = (event: string, listener: Listener) => {
    all[event] = those(event).filter((one) => one !== listener)
    return self()
  }
  const once = (event: string, listener: Listener) => {
    const first: Listener = (...args) => {
      off(event, first)
      listener(...args)
    }
    return on(event, first)
  }
  const emit = (event: string, ...args: unknown[]) => {
    for (const listener of those(event)) {
      try {
        listener(...args)
      } catch (error) {
        console.error(error)
      }
    }
    return self()
  }
  return { on, once, off, emit }
}
