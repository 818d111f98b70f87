"""What is changed in Segment's script and settings, and what is not. No browser is needed here."""

from copy import deepcopy
from typing import Any

import msgspec
import pytest

from relay.body import decode
from relay.browser.proxy_fetch import Fetched
from relay.browser.proxy_rewrite import read_script, rewritten
from relay.browser.settings import Facts, Plugin, segment_settings
from tests.browser.visit import REFERENCE, install_reference

SEGMENTS = "Segment0Key1Segment0Key1"
CDN = "https://cdn.example.net"
PLUGIN = Plugin("amplitude", "Actions Amplitude", "ampl", ("Amplitude",), {"apiKey": "a"}, ("C2",))


def script(text: str, key: str = "web-key", segments: str = SEGMENTS) -> str:
    fetched = Fetched(text.encode(), "application/javascript", None, None)
    return read_script(fetched, segments, key).bodies["identity"][0].decode()


def ours(facts: Facts = Facts()) -> dict[str, Any]:  # noqa: B008  it cannot be changed
    found: dict[str, Any] = decode(segment_settings("web-key", "www.example.com/x/v1", "https", facts))
    return found


THEIRS: dict[str, Any] = {
    "integrations": {
        "Segment.io": {
            "apiKey": SEGMENTS,
            "apiHost": "api.segment.io/v1",
            "unbundledIntegrations": ["Mixpanel"],
            "maybeBundledConfigIds": {"Tool": ["id-1"]},
            "retryQueue": True,
        },
        "Tool": {"bundlingStatus": "bundled", "type": "browser", "secret": 1},
    },
    "metrics": {"sampleRate": 0.1, "host": "api.segment.io/v1", "flushTimer": 3},
    "plan": {"track": {"__default": {"enabled": True}}},
    "remotePlugins": [
        {"name": "A", "creationName": "A", "url": f"{CDN}/next-integrations/actions/a/1.js", "settings": {}},
        {"name": "B", "url": "https://cdn.segment.com/next-integrations/actions/b/1.js"},
        {"name": "C", "url": "https://cdn.segment.build/next-integrations/actions/c/1.js"},
        {"name": "D", "url": "https://other.example.com/next-integrations/actions/d/1.js"},
        {"name": "E", "url": f"{CDN}.evil.example/next-integrations/actions/e/1.js"},
        {"name": "F", "url": f"{CDN}/next-integrations/../e/1.js"},
        {"name": "G", "url": 7},
        "H",
    ],
    "somethingNew": {"kept": True},
}


def test_the_published_script_has_what_is_changed_once_each() -> None:
    install_reference()
    published = (REFERENCE / "standalone.js").read_text()
    made = script(published.replace("__WRITE_KEY__", SEGMENTS))
    assert SEGMENTS not in made
    assert made.count('analyticsWriteKey="web-key"') == 1
    assert made.count('(window.relayApiHost||"api.segment.io/v1")') == 1
    rest = made.partition("\n")[2].replace("web-key", "__WRITE_KEY__")
    assert rest.replace('(window.relayApiHost||"api.segment.io/v1")', '"api.segment.io/v1"') == published


@pytest.mark.parametrize("key", ['we"b', "a\\1b", "</script>"])
def test_a_key_of_relays_own_is_text_whatever_is_in_it(key: str) -> None:
    made = script(f'x="{SEGMENTS}",y=\'{SEGMENTS}\',z="other {SEGMENTS}";', key)
    said = decode(made.partition("\nx=")[2].partition(",y=")[0].encode())
    assert said == key
    assert f'z="other {SEGMENTS}"' in made  # a text of which it is a part is not it


def test_with_one_key_at_both_nothing_but_places_is_changed() -> None:
    text = f'k="{SEGMENTS}";go("web")'
    assert script(text, SEGMENTS).endswith(f"\n{text}")


def test_events_and_plugins_come_here_and_all_else_stays() -> None:
    before = deepcopy(THEIRS)
    made = rewritten(THEIRS, ours(), CDN)
    assert before == THEIRS
    own = made["integrations"]["Segment.io"]
    assert own == {
        **THEIRS["integrations"]["Segment.io"],
        "apiKey": "web-key",
        "apiHost": "www.example.com/x/v1",
        "protocol": "https",
    }
    assert made["integrations"]["Tool"] == THEIRS["integrations"]["Tool"]
    assert made["metrics"] == {"sampleRate": 0, "host": "www.example.com/x/v1", "flushTimer": 3}
    assert (made["plan"], made["somethingNew"]) == (THEIRS["plan"], THEIRS["somethingNew"])
    assert "consentSettings" not in made
    here = "https://www.example.com/x/next-integrations/actions"
    assert [one["url"] for one in made["remotePlugins"][:3]] == [f"{here}/{x}/1.js" for x in "abc"]
    assert made["remotePlugins"][3:] == THEIRS["remotePlugins"][3:]
    assert made["remotePlugins"][0]["name"] == "A"


@pytest.mark.parametrize(
    "theirs",
    [
        {"integrations": {}},
        {"integrations": {"Segment.io": None}, "remotePlugins": None, "metrics": None},
        {"integrations": {"Segment.io": {"maybeBundledConfigIds": []}}, "consentSettings": []},
        {"integrations": {"X": 1}, "remotePlugins": {}, "consentSettings": {"allCategories": 1}},
        {"integrations": {"Segment.io": {"deliveryStrategy": 1}}, "consentSettings": {"allCategories": [{}]}},
    ],
    ids=str,
)
def test_what_is_missing_there_or_odd_does_no_harm(theirs: dict[str, Any]) -> None:
    made = rewritten(theirs, ours(Facts(plugins=(PLUGIN,), categories=("C2",), has_cookies=True)), CDN)
    assert made["integrations"]["Segment.io"]["apiHost"] == "www.example.com/x/v1"
    assert [one["name"] for one in made["remotePlugins"]] == ["Actions Amplitude"]


def test_relays_own_plugins_are_added_with_what_belongs_to_them() -> None:
    theirs = {**THEIRS, "consentSettings": {"allCategories": ["C1"], "hasUnmappedDestinations": False}}
    made = rewritten(theirs, ours(Facts(plugins=(PLUGIN,), categories=("C1", "C2"))), CDN)
    assert made["remotePlugins"][-1]["libraryName"] == "relay:amplitude"
    own = made["integrations"]["Segment.io"]
    assert own["maybeBundledConfigIds"] == {"Tool": ["id-1"], "Actions Amplitude": ["ampl"]}
    assert own["addBundledMetadata"] is True
    assert made["integrations"]["Actions Amplitude"] == {"consentSettings": {"categories": ["C2"]}}
    assert made["consentSettings"] == {"allCategories": ["C1", "C2"], "hasUnmappedDestinations": False}
    unsaid = rewritten(THEIRS, ours(Facts(plugins=(PLUGIN,), categories=("C2",))), CDN)
    assert unsaid["consentSettings"] == {"allCategories": ["C2"], "hasUnmappedDestinations": True}


def test_the_filters_of_relays_own_plugins_are_added_too() -> None:
    rule = {"matchers": [{"type": "all", "ir": ""}], "transformers": [[{"type": "drop"}]]}
    filtered = msgspec.structs.replace(PLUGIN, rule=rule)
    theirs = {**THEIRS, "middlewareSettings": {"routingRules": [{"destinationName": "Tool"}], "more": 1}}
    made = rewritten(theirs, ours(Facts(plugins=(filtered,))), CDN)["middlewareSettings"]
    assert [one["destinationName"] for one in made["routingRules"]] == ["Tool", "Actions Amplitude"]
    assert (made["routingRules"][1]["transformers"], made["more"]) == ([[{"type": "drop"}]], 1)
    assert (
        rewritten(theirs, ours(Facts(plugins=(PLUGIN,))), CDN)["middlewareSettings"]
        == theirs["middlewareSettings"]
    )
    taken = {**theirs, "integrations": {**THEIRS["integrations"], "Actions Amplitude": {}}}
    assert (
        rewritten(taken, ours(Facts(plugins=(filtered,))), CDN)["middlewareSettings"]
        == theirs["middlewareSettings"]
    )


@pytest.mark.parametrize(
    ("theirs", "is_added"),
    [
        ({"Actions Amplitude": {"bundlingStatus": "bundled"}}, False),
        ({"Actions Amplitude": {"versionSettings": {}}}, False),
        ({"Actions Amplitude": {"bundlingStatus": "unbundled", "a": 1}}, True),
        ({"Amplitude": {"bundlingStatus": "bundled"}}, True),
    ],
    ids=str,
)
def test_of_two_by_one_name_segments_runs_until_it_is_switched_off(
    theirs: dict[str, Any], is_added: bool
) -> None:
    made = rewritten({"integrations": theirs}, ours(Facts(plugins=(PLUGIN,))), CDN)
    assert ("Actions Amplitude" in [one["name"] for one in made["remotePlugins"]]) is is_added
    for name, said in theirs.items():
        assert made["integrations"][name].items() >= said.items()


def test_the_same_for_a_plugin_that_is_no_integration() -> None:
    theirs = {"integrations": {}, "remotePlugins": [{"name": "x", "creationName": "Actions Amplitude"}]}
    assert rewritten(theirs, ours(Facts(plugins=(PLUGIN,))), CDN)["remotePlugins"] == theirs["remotePlugins"]


def test_cookies_are_sent_along_where_relay_renews_them() -> None:
    said = {"strategy": "batching", "config": {"size": 3}}
    theirs = {"integrations": {"Segment.io": {"deliveryStrategy": said}}}
    made = rewritten(theirs, ours(Facts(has_cookies=True)), CDN)
    expected = {"strategy": "batching", "config": {"size": 3, "credentials": "include"}}
    assert made["integrations"]["Segment.io"]["deliveryStrategy"] == expected
