"""`subscriptions` in relay.toml: read from there or from a file, and every mistake by its number."""

import json
from pathlib import Path
from typing import Any

import pytest

from relay.config import load
from relay.config_subscriptions import notes_of
from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination, Subscription
from relay.errors import ConfigError

HEAD = '[[destinations]]\nname = "d"\ntype = "{type}"\nsettings = {settings}\n'


def written(
    folder: Path, more: str, kind: str = "webhook", settings: str = '{ url = "https://a.example/" }'
) -> Path:
    file = folder / "relay.toml"
    file.write_text(HEAD.format(type=kind, settings=settings) + more + "\n")
    return file


def problems(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    return [problem.removeprefix(f"{file}:") for problem in caught.value.problems]


def test_a_list_in_the_file_is_read(tmp_path: Path) -> None:
    more = "subscriptions = [{ action = 'send', subscribe = 'type = \"track\"', mapping = { data = { '@path' = '$.properties' } } }]"
    (destination,) = load(written(tmp_path, more), {}).destinations
    assert destination.subscriptions == (
        Subscription("send", 'type = "track"', {"data": {"@path": "$.properties"}}),
    )


def test_a_json_file_is_found_beside_relay_toml_with_segments_own_word(tmp_path: Path) -> None:
    said = [{"partnerAction": "send", "subscribe": 'type = "page"', "name": "Pages", "enabled": False}]
    (tmp_path / "hook.json").write_text(json.dumps(said))
    (destination,) = load(written(tmp_path, 'subscriptions = "hook.json"'), {}).destinations
    assert destination.subscriptions == (Subscription("send", 'type = "page"', None, "Pages", enabled=False),)


def test_a_subscription_of_segments_public_api_is_taken(tmp_path: Path) -> None:
    answered = {
        "id": "eo1",
        "name": "Pages",
        "actionId": "uD1",
        "actionSlug": "send",
        "destinationId": "fP1",
        "modelId": "",
        "enabled": True,
        "trigger": 'type = "page"',
        "settings": {"data": {"@path": "$.properties"}},
        "reverseETLSchedule": None,
    }
    (tmp_path / "hook.json").write_text(json.dumps([answered]))
    (destination,) = load(written(tmp_path, 'subscriptions = "hook.json"'), {}).destinations
    assert destination.subscriptions == (
        Subscription("send", 'type = "page"', {"data": {"@path": "$.properties"}}, "Pages"),
    )


def test_a_preset_as_segments_packages_declare_it_is_taken(tmp_path: Path) -> None:
    declared = {
        "name": "Pages",
        "partnerAction": "send",
        "subscribe": 'type = "page"',
        "mapping": {},
        "type": "automatic",
    }
    (tmp_path / "hook.json").write_text(json.dumps([declared]))
    (destination,) = load(written(tmp_path, 'subscriptions = "hook.json"'), {}).destinations
    assert destination.subscriptions == (Subscription("send", 'type = "page"', {}, "Pages"),)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"modelId": "h1c"}, "`modelId`: it is for rows of Reverse ETL, not for events: leave it out"),
        ({"type": "track"}, "`type` may only be `automatic`: which events is said by `subscribe`"),
        ({"maping": {}}, "unknown key `maping`, did you mean `mapping`?"),
        ({"colour": 1}, "unknown key `colour`; known: action, subscribe, mapping, name, enabled"),
        ({"actionSlug": "send"}, "`actionSlug` and another key both say the `action`"),
        ({"name": 1}, "Expected `str`, got `int` - at `name`"),
    ],
)
def test_what_is_no_subscription_to_events_is_said(more: dict[str, Any], told: str, tmp_path: Path) -> None:
    good = {"action": "send", "subscribe": 'type = "page"'}
    (tmp_path / "hook.json").write_text(json.dumps([{"action": "send"}, good | more]))
    first, second = problems(written(tmp_path, 'subscriptions = "hook.json"'))
    assert first == "5: `subscriptions`: hook.json: number 1: Object missing required field `subscribe`"
    assert second == f"5: `subscriptions`: hook.json: number 2: {told}"


def test_a_file_takes_variables_from_the_environment_and_keeps_its_templates(tmp_path: Path) -> None:
    mapping = {
        "url": "https://a.example/${HOOK_KEY}",
        "data": {"@template": "{{userId}} $.x $ {HOOK_KEY}"},
        "headers": {"x-list": ["${HOOK_KEY}", {"@path": "$.userId"}]},
    }
    said = [{"action": "send", "subscribe": 'type = "page"', "mapping": mapping}]
    (tmp_path / "hook.json").write_text(json.dumps(said))
    file = written(tmp_path, 'subscriptions = "hook.json"')
    (destination,) = load(file, {"HOOK_KEY": "k1"}).destinations
    assert destination.subscriptions is not None
    assert destination.subscriptions[0].mapping == {
        "url": "https://a.example/k1",
        "data": {"@template": "{{userId}} $.x $ {HOOK_KEY}"},
        "headers": {"x-list": ["k1", {"@path": "$.userId"}]},
    }
    assert problems(file) == [
        "5: `subscriptions`: hook.json: number 1: the environment variable `HOOK_KEY` is not set - at `mapping.url`",
        "5: `subscriptions`: hook.json: number 1: the environment variable `HOOK_KEY` is not set - at `mapping.headers.x-list.0`",
    ]


def test_without_any_the_presets_hold(tmp_path: Path) -> None:
    (destination,) = load(written(tmp_path, ""), {}).destinations
    assert destination.subscriptions is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read: No such file or directory"),
        ("[", "not JSON: Expecting value: line 1 column 2 (char 1)"),
        ("{}", "must be a list of {action, subscribe, mapping}, or the name of a JSON file with one"),
        ("[1]", "number 1: Expected `object`, got `int`"),
        ('[{"action": "send"}]', "number 1: Object missing required field `subscribe`"),
    ],
)
def test_a_file_that_is_wrong_is_named(content: str | None, told: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "hook.json").write_text(content)
    file = written(tmp_path, 'subscriptions = "hook.json"')
    assert problems(file) == [f"5: `subscriptions`: hook.json: {told}"]


@pytest.mark.parametrize(
    ("one", "told"),
    [
        ({"action": "sent", "subscribe": 'type = "page"'}, "unknown action `sent`, did you mean `send`?"),
        ({"action": "send", "subscribe": "type"}, "`subscribe`: not a subscription"),
        (
            {"action": "send", "subscribe": 'type = "page"', "mapping": {"data": {"@pth": "$"}}},
            "`mapping`: $.data: @pth is no directive",
        ),
    ],
)
def test_what_cannot_work_is_said_with_its_number(one: dict[str, Any], told: str, tmp_path: Path) -> None:
    good = {"action": "send", "subscribe": 'type = "page"'}
    (tmp_path / "hook.json").write_text(json.dumps([good, one]))
    (problem,) = problems(written(tmp_path, 'subscriptions = "hook.json"'))
    assert problem.startswith(f"5: `subscriptions`: hook.json: number 2: {told}")


def test_a_misspelt_setting_inside_another_is_told_with_the_nearest(tmp_path: Path) -> None:
    file = written(tmp_path, "", "hubspot", '{ oauth = { acess_token = "t" } }')
    assert problems(file) == [
        "4: Object contains unknown field `acess_token` - at `oauth`, did you mean `access_token`?"
    ]
    file = written(
        tmp_path, "filters = [{ if = 'type = \"page\"', actions = [{ type = 'DROP' }], titel = 't' }]"
    )
    assert problems(file) == [
        "5: Object contains unknown field `titel` - at `filters[0]`, did you mean `title`?"
    ]


def test_a_type_without_actions_has_no_subscriptions(tmp_path: Path) -> None:
    file = written(tmp_path, "subscriptions = []", "segment", '{ writeKey = "k" }')
    assert problems(file) == ["5: `subscriptions`: this type has no actions: it takes every event as it is"]


def test_a_webhook_needs_a_url_or_a_subscription_that_may_name_one(tmp_path: Path) -> None:
    assert problems(written(tmp_path, "", settings="{}")) == ["4: missing setting `url`"]
    more = "subscriptions = [{ action = 'send', subscribe = 'type = \"page\"' }]"
    assert load(written(tmp_path, more, settings="{}"), {}).notes == ()


@pytest.mark.parametrize(
    ("kind", "more", "note"),
    [
        ("slack", "", "nothing is sent: this type has no presets, so `subscriptions` must say what is"),
        ("webhook", "subscriptions = []", "nothing is sent: there is no enabled subscription"),
        ("webhook", "", None),
    ],
)
def test_a_destination_that_sends_nothing_is_noted(
    kind: str, more: str, note: str | None, tmp_path: Path
) -> None:
    settings = "{}" if kind == "slack" else '{ url = "https://a.example/" }'
    said = [one.partition(": ")[2] for one in load(written(tmp_path, more, kind, settings), {}).notes]
    assert said == ([] if note is None else [note])


def test_what_may_not_be_meant_is_noted(tmp_path: Path) -> None:
    said = [
        {"action": "send", "subscribe": 'type = "page" and event = "a" or event = "b"'},
        {"action": "send", "subscribe": 'type = "page"', "mapping": {"dta": 1}},
    ]
    (tmp_path / "hook.json").write_text(json.dumps(said))
    file = written(tmp_path, 'subscriptions = "hook.json"')
    first, second = load(file, {}).notes
    assert first.startswith(f"{file}:5: hook.json: subscription 1: Segment reads this as")
    assert second == f"{file}:5: hook.json: subscription 2: `send` has no field `dta`, did you mean `data`?"


@pytest.mark.parametrize(
    ("one", "told"),
    [
        ({"mapping": {"method": "GET"}}, "`method` must be one of POST, PUT, PATCH"),
        ({"action": "sendCustomBehavioralEvent"}, "`eventName` is missing"),
        ({"mapping": {"method": {"@path": "$.properties.method"}}}, None),
        ({}, None),
    ],
)
def test_a_field_that_no_event_can_put_right_is_noted(
    one: dict[str, Any], told: str | None, tmp_path: Path
) -> None:
    said = {"action": "send", "subscribe": 'type = "page"'} | one
    (tmp_path / "s.json").write_text(json.dumps([said]))
    more = '\nsubscriptions = "s.json"\n[server]\nencryption_key = "sixteen or longer"'
    kind, settings = ("webhook", '{ url = "https://a.example/" }')
    if said["action"] != "send":
        kind, settings = ("hubspot", '{ oauth = { clientId = "c" } }')
    notes = load(written(tmp_path, more, kind, settings), {}).notes
    assert [note.partition("subscription 1: ")[2] for note in notes] == (
        [] if told is None else [f"{told}: `{said['action']}` refuses every event"]
    )


@pytest.mark.parametrize("kind", [k for k in CATALOGUE.values() if issubclass(k, ActionDestination)])
def test_no_preset_needs_a_note(kind: type[ActionDestination]) -> None:
    presets = tuple(kind.preset_subscriptions())
    assert list(notes_of(kind, presets or None)) == list(notes_of(kind, None))
