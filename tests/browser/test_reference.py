"""Field by field: what Segment's own analytics.js sends for the same calls on the same page.

The differences are these, and docs/browser.md tells them:
- `context.library.version` is relay's;
- a listed event of a page that is opened twice has another messageId, anonymousId and times, of course.
"""

import json
from typing import Any

import pytest

from tests.browser.visit import Ground

pytestmark = pytest.mark.asyncio(loop_scope="module")

# each is made alone and awaited; `E` in a name keeps them apart
CALLS = [
    'track("Item Purchased", {sku: "a", price: 29.99, at: new Date(0), nested: {list: [1, null, "é"], none: undefined}})',
    (
        'track("Options", {}, {timestamp: new Date(1e12), userId: "other", context: {ip: "0.0.0.0", active: true},'
        ' traits: {plan: "pro"}, integrations: {All: false, Mixpanel: true, Amplitude: {session_id: 1}}, "app.name": "x"})'
    ),
    'track({event: "As Object", properties: {a: 1}}, {context: {groupId: "g"}})',
    'track("Only Callback", () => {})',
    'track("No Properties", null, {context: {x: 1}})',
    'track("Strings of Dates", {day: "2020-01-01", full: "2020-01-01T10:00:00Z", number: "12"})',
    'track("Own Page", {}, {context: {page: {title: "Mine"}}})',
    'track("Own Message", {}, {messageId: "mine-1"})',
    'track("Own Library", {}, {context: {library: {name: "mine", version: "1"}, campaign: {name: "c"}, locale: "xx"}})',
    "page()",
    'page("Name")',
    'page("Category", "Name")',
    'page("Category", "Name", {x: 1}, {context: {y: 2}})',
    'page({title: "Other title", x: 1})',
    'page("Name", {x: 1}, {integrations: {All: false}})',
    'page(null, "Name", {path: "/p"})',
    "page(() => {})",
    'page("Category", "Name", null, {context: {z: 3}})',
    'screen("Name", {x: 1})',
    'screen("Category", "Name")',
    'identify({name: "Nobody yet"})',
    'identify("u1", {name: "Jane", company: {id: 1}})',
    'track("Known")',
    'identify({email: "j@example.com"})',
    'identify("u1", {name: "Jane M."}, {context: {active: false}})',
    "identify(42)",
    'identify("u2", {b: 1}, () => {})',
    "identify()",
    'group("g1", {name: "Acme"})',
    "group({seats: 3})",
    'group("g2", {n: 1}, {context: {k: 1}})',
    'alias("u3")',
    'alias("u4", "u2")',
    "alias(7, 8)",
    'track("Anonymous Set", {}, {anonymousId: "anon-2"})',
]
SCRIPT = """async (calls) => {
  const failed = []
  for (const call of calls) {
    try { await new Function("return analytics." + call)() } catch (error) { failed.push([call, String(error)]) }
  }
  analytics.reset()
  analytics.setAnonymousId("anon-3")
  await analytics.track("After Reset")
  return failed
}"""
QUERY = "?utm_source=news&utm_campaign=fall+sale&utm_x=%C3%A9&btid=b1&ajs_uid=qs&ajs_trait_plan=pro&ajs_event=From%20Query&ajs_prop_c=red"
HEAD = "<link rel='canonical' href='https://www.example.com/canonical'>"


def plain(event: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from one visit to the next, and what is listed above."""
    event = json.loads(json.dumps(event))
    for name in ("messageId", "sentAt", "timestamp"):
        value = event.pop(name, None)
        event[f"has {name}"] = isinstance(value, str) and len(value)
        if name == "timestamp" and isinstance(value, str) and value.startswith("2001"):
            event[name] = value
    if event["context"]["library"]["name"] == "analytics.js":
        del event["context"]["library"]["version"]
    for name in ("anonymousId", "previousId"):
        if len(event.get(name) or "") == 36:
            event[name] = "a UUID"
    return event


async def sent(ground: Ground, host: str, *, head: str = "", query: str = "") -> list[dict[str, Any]]:
    """All that a page sends which makes the calls one after the other."""
    async with ground.visit() as visit:
        page = await visit.open(
            "analytics.setAnonymousId('anon-1')", host=host, head=head, query=query, path="/same"
        )
        # the two that the query asks for go side by side
        before = 2 if query else 0
        await ground.front.wait_until(lambda: len(ground.front.events()) == before, "events of the query")
        first = sorted(ground.front.events(), key=lambda event: event["type"])
        failed = await page.evaluate(SCRIPT, CALLS)
        assert failed == []
        await ground.front.wait_for("After Reset")
        events = [*first, *ground.front.events()[before:]]
        is_reference = events[0]["context"]["library"]["version"].startswith("next-")
        assert is_reference is host.endswith("/next")
        return [plain(event) for event in events]


@pytest.mark.parametrize(("head", "query"), [("", ""), (HEAD, QUERY)], ids=["plain", "canonical and query"])
async def test_it_sends_what_segments_own_sends(head: str, query: str, ground: Ground) -> None:
    front = ground.front.url
    theirs = await sent(ground, f"{front}/next", head=head, query=query)
    ours = await sent(ground, front, head=head, query=query)
    assert len(ours) == len(theirs) == len(CALLS) + 1 + (2 if query else 0)
    for own, other in zip(ours, theirs, strict=True):
        assert own == other
