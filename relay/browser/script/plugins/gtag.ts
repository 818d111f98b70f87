/** Google's tag, for all its products. */

import { page, stub, type Vendor } from "./common"

export const gtag = (...args: unknown[]): void => page.gtag(...args)

export const tag = (id: string): Vendor => ({
  url: `https://www.googletagmanager.com/gtag/js?id=${id}`,
  prepare() {
    page.dataLayer ??= []
    stub("gtag", (args) => page.dataLayer.push(args))
    gtag("js", new Date())
  },
  isThere: (isLoaded) => page.google_tag_manager && (isLoaded || [...document.scripts].some(({ src }) => src.includes("/gtag/js"))),
  start: ({ id: user }) => gtag("config", id, { send_page_view: false, ...(user && { user_id: user }) }),
})
