/** Mixpanel, by an instance of its own. */

import { offer, page, scalars } from "./common"

const NAME = "relay"
const HOSTS: Record<string, string> = { EU: "https://api-eu.mixpanel.com", IN: "https://api-in.mixpanel.com" }

// what the script looks for: instances to make, by name, and what was called meanwhile
function snippet(): any {
  const list: any = Object.assign([], { _i: [], __SV: 1.2 })
  list.init = (token: string, config: object, name: string) => {
    list[name] = Object.assign([], { people: [] })
    list._i.push([token, config, name])
  }
  return list
}

offer("mixpanel", ({ projectToken, apiRegion = "US", sourceName }) => {
  const own = () => page.mixpanel[NAME]
  return {
    url: "https://cdn.mxpnl.com/libs/mixpanel-2-latest.min.js",
    prepare() {
      page.mixpanel ??= snippet()
      const host = HOSTS[apiRegion.slice(0, 2)]
      page.mixpanel.init(projectToken, { track_pageview: false, ...(host && { api_host: host }) }, NAME)
    },
    isThere: () => page.mixpanel && own()?.track && !Array.isArray(own()),
    start({ id }) {
      if (id) own().identify(id)
      if (sourceName) own().register({ segment_source_name: sourceName })
    },
    track: ({ event, properties, messageId }) => own().track(event, { ...properties, $insert_id: messageId }),
    page: ({ name, properties, messageId }) =>
      own().track(["Viewed", name, "Page"].filter(Boolean).join(" "), { ...properties, $insert_id: messageId }),
    identify({ userId, traits = {} }) {
      if (userId) own().identify(userId)
      const { name, firstName, lastName, email, phone, ...rest } = traits
      const called = { $name: name, $first_name: firstName, $last_name: lastName, $email: email, $phone: phone }
      own().people.set({ ...rest, ...scalars(called) })
    },
    group({ groupId, traits }) {
      own().set_group("$group_id", groupId)
      if (groupId && traits) own().get_group("$group_id", groupId).set(traits)
    },
    alias: ({ userId, previousId }) => own().alias(userId, previousId),
  }
})
