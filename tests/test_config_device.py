"""`mode = "device"`: who may have it, what it rules out, and what browsers are told of it."""

from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from relay.browser.settings import inline_settings, segment_settings
from relay.config import Config, load
from relay.config_browser import facts_of
from relay.destinations.device import DEVICE_ONLY, PUBLIC
from relay.errors import ConfigError

HEAD = '[[sources]]\nname = "web"\nwrite_key = "k"\n[[sources]]\nname = "shop"\nwrite_key = "k2"\n'
AMPLITUDE = 'settings = { apiKey = "amp-key", secretKey = "hidden-1", endpoint = "europe" }'
PIXEL = 'settings = { pixelId = "11", accessToken = "hidden-2" }'
SCRIPT = 'settings = { url = "https://t.example.com/t.js" }'


def destination(kind: str, *lines: str, name: str = "d", mode: str | None = "device") -> str:
    said = [] if mode is None else [f'mode = "{mode}"']
    return "\n".join(["[[destinations]]", f'name = "{name}"', f'type = "{kind}"', *said, *lines, ""])


def loaded(folder: Path, *tables: str) -> Config:
    file = folder / "relay.toml"
    file.write_text(HEAD + "".join(tables))
    return load(file, {})


def mistakes(folder: Path, *tables: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        loaded(folder, *tables)
    return [line.partition("relay.toml:")[2] for line in str(error.value).splitlines()]


def test_without_it_a_destination_is_in_cloud_mode(tmp_path: Path) -> None:
    (one,) = loaded(tmp_path, destination("amplitude", AMPLITUDE, mode=None)).destinations
    assert one.mode == "cloud"


def test_another_mode_is_refused(tmp_path: Path) -> None:
    assert mistakes(tmp_path, destination("amplitude", AMPLITUDE, mode="both")) == [
        "10: Expected `cloud` or `device` - at `mode`"
    ]


def test_a_type_without_a_script_is_refused(tmp_path: Path) -> None:
    (told,) = mistakes(
        tmp_path, destination("slack", 'settings = { webhookUrl = "https://x.example.com/" }')
    )[:1]
    assert told.startswith(
        "10: `slack` has no script for browsers: device mode is for `google-analytics-4`, "
    )


@pytest.mark.parametrize(
    "line",
    [
        "transformations = [{ drop = true }]",
    ],
)
def test_what_a_browser_cannot_keep_to_is_refused(line: str, tmp_path: Path) -> None:
    key = line.partition(" ")[0]
    told = f'10: the browser cannot keep to `{key}`: leave it out, or use `mode = "cloud"`'
    assert told in mistakes(tmp_path, destination("amplitude", line, AMPLITUDE))
    loaded(tmp_path, destination("amplitude", line, AMPLITUDE, mode="cloud"))


def filters(condition: str, *actions: str) -> str:
    acting = ", ".join(f"{{ {action} }}" for action in actions)
    return f"filters = [{{ if = '{condition}', actions = [{acting}] }}]"


DROP = 'type = "DROP"'
REFUSED = {
    "filter = 'timestamp = \"x\"'": "the browser does not know `timestamp` as relay does (character 1)",
    "filter = 'event = \"x\" and context.ip != null'": "the browser does not know `context.ip` as relay does (character 17)",
    "filter = 'uppercase(event) = \"X\"'": "the browser knows no function `uppercase` (character 1)",
    "filter = 'bool(properties.x)'": "the browser knows no function `bool` (character 1)",
    "filter = 'contains(lowercase(event), \"x\")'": "the browser knows no function inside contains() (character 10)",
    "filter = '\"x\" in properties.list'": "the browser cannot look into a list of the event: "
    "`in` needs one in brackets (character 8)",
    "filter = 'match(event, properties.p)'": "the browser needs a pattern in quotes (character 14)",
    "filter = 'length(event) = properties.n'": "the browser can compare this with a constant only (character 1)",
    "filter = 'length(event) = null'": "the browser cannot compare this with null (character 1)",
    "filter = 'length(properties.a) < properties.n'": "the browser can compare this with a constant only (character 1)",
    "filter = 'length(lowercase(event)) < 3'": "the browser knows functions of paths only (character 1)",
    "filter = '(properties.x and properties.y) = true'": "the browser cannot compare this: "
    "use it as a condition (character 15)",
    "filter = 'properties.n > 9007199254740993'": "the browser has no number so large (character 16)",
    "filter = 'properties.a\\.b = 1'": "the browser cannot read a key with a dot in it, as in `properties.a.b` (character 1)",
    "filter = 'properties.list.length > 1'": "the browser reads `properties.list.length` otherwise: "
    "say length(properties.list) (character 1)",
    "filter = 'event.length = 3'": "the browser reads `event.length` otherwise: say length(event) (character 1)",
    "filter = 'properties.list.01 = 1'": "the browser reads `properties.list.01` otherwise (character 1)",
    "filter = 'properties.constructor = 1'": "the browser reads `properties.constructor` otherwise (character 1)",
    filters(
        "all", 'type = "SAMPLE", percent = 0.5, path = "userId"'
    ): "the browser can sample by chance only: leave out `path`",
    filters(
        "all", 'type = "DROP_PROPERTIES", fields = { "" = ["userId"] }'
    ): "the browser can take properties only from what is in `properties`, `traits`, `context`",
    filters("all", 'type = "DROP_PROPERTIES", fields = { context = ["consent"] }'): "the browser needs "
    "`context.consent` whole",
    filters("all", 'type = "ALLOW_PROPERTIES", fields = { "context.consent" = ["x"] }'): "the browser needs "
    "`context.consent` whole",
    filters(
        " or ".join(f"properties.p{n}" for n in range(150)), DROP
    ): "the condition becomes too long for browsers",
}


@pytest.mark.parametrize(("line", "told"), REFUSED.items(), ids=range(len(REFUSED)))
def test_a_filter_that_a_browser_cannot_keep_to_is_refused(line: str, told: str, tmp_path: Path) -> None:
    said = mistakes(tmp_path, destination("amplitude", line, AMPLITUDE))
    assert said == [f'11: {told}: leave it out, or use `mode = "cloud"`']
    loaded(tmp_path, destination("amplitude", line, AMPLITUDE, mode="cloud"))


def test_a_filter_that_is_off_may_say_anything(tmp_path: Path) -> None:
    off = filters("all", 'type = "SAMPLE", percent = 0.5, path = "userId"').replace(
        "actions", "enabled = false, actions"
    )
    theirs, _ = told_to_browsers(tmp_path, destination("amplitude", off, AMPLITUDE))
    assert theirs["middlewareSettings"]["routingRules"] == []


def test_filters_that_look_at_what_the_others_take_away_have_no_order(tmp_path: Path) -> None:
    def taking(key: str) -> str:
        return f'{{ type = "DROP_PROPERTIES", fields = {{ properties = ["{key}"] }} }}'

    def both(first: str, second: str) -> str:
        one, other = (
            f"{{ if = 'properties.{key} = 1', actions = [{taking(taken)}] }}"
            for key, taken in ((first, second), (second, first))
        )
        return f"filters = [{one}, {other}]"

    told = "11: the browser cannot keep to filters that each take away what another looks at"
    assert mistakes(tmp_path, destination("amplitude", both("a", "b"), AMPLITUDE)) == [
        f'{told}: leave it out, or use `mode = "cloud"`'
    ]
    loaded(tmp_path, destination("amplitude", both("a", "a"), AMPLITUDE).replace('["a"]', '["c"]', 1))


def test_a_mistake_in_a_condition_is_told_once(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, destination("amplitude", "filter = 'event ='", AMPLITUDE))
    assert "cannot be read" in told


def test_filters_are_rules_for_browsers(tmp_path: Path) -> None:
    lines = (
        "filter = 'type = \"track\"'",
        filters(
            'event = "Order"',
            'type = "ALLOW_PROPERTIES", fields = { context = ["page"] }',
            'type = "SAMPLE", percent = 0.5',
        ),
    )
    theirs, ours = told_to_browsers(tmp_path, destination("amplitude", *lines, AMPLITUDE))
    (rule,) = theirs["middlewareSettings"]["routingRules"]
    assert orjson.loads(orjson.dumps(ours["middlewareSettings"])) == {"routingRules": [rule]}
    assert rule["destinationName"] == "Actions Amplitude"
    order = '["=","event",{"value":"Order"}]'
    assert [one["ir"] for one in rule["matchers"]] == ['["!",["=","type",{"value":"track"}]]', order, order]
    assert rule["transformers"] == [
        [{"type": "drop"}],
        [{"type": "sample_event", "config": {"sample": {"percent": 0.5}}}],
        [{"type": "allow_properties", "config": {"allow": {"context": ["page", "consent"]}}}],
    ]
    assert ours["remotePlugins"][0]["settings"]["relay"]["filters"] == "analytics.js/v1/k/plugins/filters.js"


def test_without_filters_browsers_are_told_of_none(tmp_path: Path) -> None:
    theirs, ours = told_to_browsers(tmp_path, destination("amplitude", "filter = 'all'", AMPLITUDE))
    assert theirs["middlewareSettings"]["routingRules"] == []
    assert "middlewareSettings" not in ours
    assert "filters" not in ours["remotePlugins"][0]["settings"]["relay"]


def test_a_setting_that_only_browsers_need_is_asked_for(tmp_path: Path) -> None:
    app = 'settings = { apiSecret = "s", firebaseAppId = "1:2:web:3" }'
    assert mistakes(tmp_path, destination("google-analytics-4", app)) == [
        "10: device mode needs the setting `measurementId`"
    ]


@pytest.mark.parametrize("kind", DEVICE_ONLY)
def test_a_type_of_browsers_has_no_cloud_mode(kind: str, tmp_path: Path) -> None:
    settings = SCRIPT if kind == "script" else 'settings = { conversionId = "AW-1" }'
    told = f'7: `{kind}` is there in the browser only: it needs `mode = "device"`'
    assert mistakes(tmp_path, destination(kind, settings, mode=None)) == [told]
    loaded(tmp_path, destination(kind, settings))


def test_a_source_has_one_of_a_type_in_device_mode(tmp_path: Path) -> None:
    first = destination("amplitude", 'sources = ["web"]', AMPLITUDE)
    told = mistakes(tmp_path, first, destination("amplitude", AMPLITUDE, name="e"))
    assert told == ["16: a source has one `amplitude` in device mode, and that is at line 10"]
    loaded(tmp_path, first, destination("amplitude", 'sources = ["shop"]', AMPLITUDE, name="e"))
    loaded(tmp_path, first, destination("amplitude", AMPLITUDE, name="e", mode="cloud"))
    loaded(tmp_path, destination("script", SCRIPT), destination("script", SCRIPT, name="e"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('url = "javascript:alert(1)"', "url must be an https URL"),
        ('url = "https://t.example.com/", function = "a b"', "function must be the name of"),
        ('url = "https://t.example.com/", function = "alert(1)"', "function must be the name of"),
        ('url = "https://t.example.com/", calls = { track = ["x"] }', "calls need function"),
        (
            'url = "https://t.example.com/", function = "f", calls = { screen = [] }',
            "calls has screen: it takes track",
        ),
    ],
)
def test_a_script_is_told_by_data_alone(settings: str, told: str, tmp_path: Path) -> None:
    assert told in mistakes(tmp_path, destination("script", f"settings = {{ {settings} }}"))[0]


def test_every_public_setting_is_one_of_its_type(tmp_path: Path) -> None:
    from relay.destinations import CATALOGUE  # noqa: PLC0415

    for kind, names in PUBLIC.items():
        known = {field.encode_name for field in msgspec.structs.fields({**CATALOGUE, **DEVICE_ONLY}[kind])}
        assert set(names) <= known


def told_to_browsers(
    folder: Path, *tables: str, source: str = "web"
) -> tuple[dict[str, Any], dict[str, Any]]:
    facts = facts_of(source, loaded(folder, *tables))
    ours = inline_settings("k", facts)
    return orjson.loads(segment_settings("k", "relay.example.com/x/v1", "https", facts)), ours


def test_browsers_are_told_what_they_need_and_no_secret(tmp_path: Path) -> None:
    tables = (
        destination("amplitude", 'consent = ["C1"]', AMPLITUDE),
        destination("facebook-conversions-api", PIXEL, name="meta"),
        destination("script", SCRIPT, 'sources = ["shop"]', name="heat"),
        destination("mixpanel", 'settings = { projectToken = "t", apiSecret = "s" }', name="m", mode="cloud"),
    )
    theirs, ours = told_to_browsers(tmp_path, *tables)
    amplitude, meta = theirs["remotePlugins"]
    assert amplitude == {
        "name": "Actions Amplitude",
        "creationName": "Actions Amplitude",
        "url": "https://relay.example.com/x/analytics.js/v1/k/plugins/amplitude.js",
        "libraryName": "relay:amplitude",
        "settings": {
            "apiKey": "amp-key",
            "endpoint": "europe",
            "relay": {"name": "Actions Amplitude", "also": ["d", "Amplitude"], "categories": ["C1"]},
        },
    }
    assert meta["settings"]["pixelId"] == "11"
    own = theirs["integrations"]["Segment.io"]
    assert own["maybeBundledConfigIds"] == {
        "Actions Amplitude": ["d"],
        "Facebook Conversions API (Actions)": ["meta"],
    }
    assert own["unbundledIntegrations"] == ["Mixpanel (Actions)"]
    assert theirs["integrations"]["Actions Amplitude"] == {"consentSettings": {"categories": ["C1"]}}
    assert [one["url"] for one in ours["remotePlugins"]] == [
        "analytics.js/v1/k/plugins/amplitude.js",
        "analytics.js/v1/k/plugins/facebook-conversions-api.js",
    ]
    assert b"hidden" not in orjson.dumps([theirs, ours])


def test_a_script_goes_by_its_own_name(tmp_path: Path) -> None:
    theirs, _ = told_to_browsers(tmp_path, destination("script", SCRIPT, name="heat"), source="shop")
    (heat,) = theirs["remotePlugins"]
    assert (heat["name"], heat["settings"]["url"]) == ("heat", "https://t.example.com/t.js")


def test_without_device_mode_nothing_is_said_of_it(tmp_path: Path) -> None:
    theirs, ours = told_to_browsers(tmp_path, destination("amplitude", AMPLITUDE, mode="cloud"))
    assert theirs["remotePlugins"] == []
    assert "remotePlugins" not in ours
