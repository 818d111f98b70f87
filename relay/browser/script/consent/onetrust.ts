/**
 * OneTrust: what a visitor agreed to there holds here, without a line of code in the page.
 *
 * relay runs this before its analytics.js, for sources with `consent_manager = "onetrust"` (relay/browser/library.py):
 *
 * - analytics.js does not start before OneTrust is there, nor, where visitors have to agree first, before they chose. Calls
 *   wait in the snippet's queue meanwhile, and nothing is stored.
 * - A source middleware writes into every event which of OneTrust's groups are active, all of them.
 * - `Segment Consent Preference Updated` is sent when the visitor chooses, the first time and whenever it is something else.
 *
 * It only asks OneTrust: `OptanonWrapper` stays the page's.
 */

import { CHANGED, KEY } from "../src/consent"
import { attempt, isFunction, isString, sleep, type Data } from "../src/values"

interface OneTrust {
  GetDomainData(): { Groups: Data[]; ConsentModel?: { Name?: string }; ShowAlertNotice?: boolean }
  OnConsentChanged(listener: (event?: Data) => void): unknown
  IsAlertBoxClosed?(): boolean
}

const LOOK = 100 // milliseconds, for OneTrust
const ASK_NOBODY = ["opt-out", "notice only", "custom"] // of OneTrust's consent models: all others mean that visitors agree first

const page: any = window
const named = (document.currentScript as HTMLScriptElement | null)?.dataset.globalSegmentAnalyticsKey ?? "analytics"
const queue = (page[named] ??= [])
const options: Data = { ...queue._loadOptions }

// as long as it has not begun there is something else by that name
const oneTrust = (): OneTrust | undefined => {
  const found = page.OneTrust
  const isThere = isFunction(found?.GetDomainData) && isFunction(found.OnConsentChanged)
  return isThere && isString(page.OnetrustActiveGroups) && found.GetDomainData()?.Groups ? found : undefined
}

let told: string[] | undefined // with a change, which the global may not have yet

function preferences(one: OneTrust): Record<string, boolean> {
  const active = told ?? page.OnetrustActiveGroups.split(",").map((id: string) => id.trim())
  const ids = one.GetDomainData().Groups.map((group) => String(group.CustomGroupId ?? group.OptanonGroupId ?? "").trim())
  return Object.fromEntries(ids.filter(Boolean).map((id) => [id, active.includes(id)]))
}

async function until(holds: () => unknown): Promise<void> {
  while (!holds()) await sleep(LOOK)
}

/** Resolves when analytics.js may start. */
async function settled(): Promise<void> {
  await until(oneTrust)
  const one = oneTrust()!
  const { ConsentModel, ShowAlertNotice } = one.GetDomainData()
  const isClosed = () => ShowAlertNotice === false || one.IsAlertBoxClosed?.()
  let last = isClosed() ? JSON.stringify(preferences(one)) : ""

  const chosen = new Promise<void>((done) =>
    one.OnConsentChanged((event) => {
      told = Array.isArray(event?.detail) ? event.detail : undefined
      setTimeout(() => (told = undefined))
      const now = JSON.stringify(preferences(one))
      if (now !== last) (page[options.globalAnalyticsKey ?? named] ?? queue).push(["track", CHANGED])
      last = now
      done()
    }),
  )
  const stamp = ({ payload, next }: Data) => {
    payload.obj.context.consent = { ...payload.obj.context.consent, categoryPreferences: preferences(one) }
    next(payload)
  }
  queue.unshift(["addSourceMiddleware", stamp]) // before plug-ins of the page, which may have something to send
  if (!ASK_NOBODY.includes(ConsentModel?.Name ?? "")) await Promise.race([until(isClosed), chosen])
}

function hold(): void {
  const { disable, initialPageview } = options
  if (initialPageview && queue.page) {
    options.initialPageview = false
    queue.page() // as the page is now, not when the visitor has chosen
    queue.unshift(queue.pop())
  }
  options.disable = async (settings: unknown) => {
    await settled()
    return isFunction(disable) ? disable(settings) : disable
  }
  queue._loadOptions = options
  attempt(() => localStorage.removeItem(KEY)) // OneTrust remembers it
}

if (!queue.initialized && options.disable !== true) hold()
