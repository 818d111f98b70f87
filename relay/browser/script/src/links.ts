/** Tracking of links and forms: the page is left only after the event is on its way. */

import { sleep, type Data } from "./values"

type Track = (event: string, properties: Data | undefined, options: Data) => PromiseLike<unknown>
type Said<T> = T | ((element: Element) => T)

const all = (found: any): Element[] =>
  !found ? [] : found instanceof Element ? [found] : (found.toArray?.() ?? [...found])
const said = <T>(what: Said<T>, element: Element): T =>
  typeof what === "function" ? (what as (element: Element) => T)(element) : what

function href(element: Element): string | null | undefined {
  const own = element.getAttribute("href") || element.getAttributeNS("http://www.w3.org/1999/xlink", "href")
  return own || element.getElementsByTagName("a")[0]?.getAttribute("href")
}

const opensElsewhere = (element: Element, { ctrlKey, shiftKey, metaKey, button }: MouseEvent): boolean =>
  ctrlKey || shiftKey || metaKey || button === 1 || (element as HTMLAnchorElement).target === "_blank"

export function trackLinks(
  links: unknown,
  event: Said<string>,
  properties: Said<Data | undefined>,
  options: Data,
  track: Track,
  timeout: number,
): void {
  for (const element of all(links))
    element.addEventListener("click", (click) => {
      const sent = track(said(event, element), said(properties, element), options)
      const target = href(element)
      if (!target || opensElsewhere(element, click as MouseEvent)) return
      click.preventDefault()
      void Promise.race([sent, sleep(timeout)]).then(() => (location.href = target))
    })
}

export function trackForms(
  forms: unknown,
  event: Said<string>,
  properties: Said<Data | undefined>,
  options: Data,
  track: Track,
  timeout: number,
): void {
  for (const element of forms instanceof HTMLFormElement ? [forms] : all(forms)) {
    const submit = (submission: globalThis.Event) => {
      submission.preventDefault()
      const sent = track(said(event, element), said(properties, element), options)
      void Promise.race([sent, sleep(timeout)]).then(() => HTMLFormElement.prototype.submit.call(element))
    }
    const jquery = (window as any).jQuery || (window as any).Zepto
    // its `submit()` causes no event that the browser knows of
    if (jquery) jquery(element).submit(submit)
    else element.addEventListener("submit", submit)
  }
}
