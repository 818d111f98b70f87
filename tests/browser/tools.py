"""Tools' scripts as their hosts would serve them, small: they keep what they are called with in `window.told`."""

TELL = "window.told = window.told || []; const tell = (tool) => (...args) => { told.push([tool, ...args]) };"

GTAG = f"""(() => {{ {TELL}
  window.google_tag_manager = {{}}
  const take = (args) => tell("gtag")(...args)
  dataLayer.forEach(take)
  dataLayer.push = take
}})()"""

FBQ = f"""(() => {{ {TELL}
  fbq.callMethod = tell("fbq")
  fbq.queue.splice(0).forEach((args) => fbq.callMethod(...args))
}})()"""

AMPLITUDE = f"""(() => {{ {TELL}
  const names = ["init", "track", "identify", "setGroup", "setUserId"]
  const instance = () => Object.fromEntries(names.map((name) => [name, tell("amplitude." + name)]))
  class Identify {{ constructor() {{ this.changes = {{}} }} set(name, value) {{ this.changes[name] = value }} }}
  window.amplitude = Object.assign(window.amplitude || {{}}, {{Types: {{}}, Identify, createInstance: instance}})
}})()"""

MIXPANEL = f"""(() => {{ {TELL}
  const names = ["track", "identify", "register", "alias", "set_group"]
  for (const [token, config, name] of mixpanel._i) {{
    tell("mixpanel.init")(token, config)
    const made = Object.fromEntries(names.map((one) => [one, tell("mixpanel." + one)]))
    mixpanel[name] = {{...made, people: {{set: tell("mixpanel.people.set")}}, get_group: () => ({{set: tell("mixpanel.group.set")}})}}
  }}
}})()"""

HEAT = f"""(() => {{ {TELL}
  const waiting = window.heat.q || []
  window.heat = tell("heat")
  waiting.forEach((args) => heat(...args))
  tell("heat settings")(window._heat)
}})()"""

SCRIPTS = {
    "www.googletagmanager.com/gtag/js": GTAG,
    "connect.facebook.net/en_US/fbevents.js": FBQ,
    "cdn.amplitude.com/libs/analytics-browser-2.48.1-min.js.gz": AMPLITUDE,
    "cdn.mxpnl.com/libs/mixpanel-2-latest.min.js": MIXPANEL,
    "static.heat.test/heat.js": HEAT,
}
