"""Plans in files: whole or not at all, under ids that stay, and back as they were."""

import os
import stat
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import ConfigError
from relay.plans import store
from relay.plans.connections import Connection, Connections, read_connections, write_connections
from relay.plans.rules import Rule
from relay.plans.shapes import read_plan
from relay.plans.store import NoPlan, WrongPlan
from relay.plans.stored import StoredPlan, config_rules, file_form, id_of_file, new_id, resource_id
from tests.plans.plans import about


def a_plan(*rules: Rule, **fields: Any) -> StoredPlan:
    return StoredPlan(new_id(), "Shop", rules, **fields)


def kept(folder: Path, plan: StoredPlan) -> StoredPlan:
    text, _ = store.made_ready(plan)
    store.write(folder, plan.id, text)
    return store.read(folder, plan.id)


RULES = st.lists(
    st.builds(
        Rule,
        st.sampled_from(["TRACK", "IDENTIFY", "GROUP", "PAGE", "SCREEN", "COMMON"]),
        st.text(min_size=1, max_size=5),
        st.integers(0, 3),
        st.sampled_from([{}, about(), {"labels": {"a": "b"}}]),
        st.just(""),
        st.sampled_from(["", "said"]),
        st.sampled_from([None, "2026-01-01"]),
    ),
    max_size=6,
)


@given(RULES)
def test_rules_come_back_as_they_were(rules: list[Rule]) -> None:
    by_identity = {}
    for rule in rules:
        key = rule.key if rule.kind in ("TRACK", "PAGE", "SCREEN") else ""
        by_identity[rule.kind, key, rule.version] = _plain(rule, key)
    plan = StoredPlan("rs_1", "Shop", tuple(by_identity.values()))
    text, compiled = store.made_ready(plan)
    assert len(compiled.plan.rules) == len(plan.rules)
    again, mistakes = read_plan(orjson.loads(text))
    assert mistakes == []
    found = [_plain(rule, rule.key) for rule in again.rules]
    assert sorted(found, key=repr) == sorted(plan.rules, key=repr)


def _plain(rule: Rule, key: str) -> Rule:
    return Rule(rule.kind, key, rule.version, rule.schema, "", rule.description, rule.deprecated_at)


def test_ids_are_those_of_segment_and_grow() -> None:
    ids = [new_id() for _ in range(50)]
    assert all(len(one) == 30 and resource_id(one) == one for one in ids)
    assert len(set(ids)) == 50
    assert new_id()[:8] >= ids[0][:8]


@pytest.mark.parametrize(
    "text", ["", "rs_", "x_1", "rs_../x", "rs_a/b", "rs_\0", "rs_é", "rs_" + "a" * 101, "RS_1"]
)
def test_what_is_no_id_never_becomes_a_path(text: str) -> None:
    assert resource_id(text) is None


def test_either_id_leads_to_a_plan() -> None:
    assert resource_id("tp_1A") == resource_id("rs_1A") == "rs_1A"


def test_a_file_has_the_id_that_it_says_or_one_of_its_name() -> None:
    assert id_of_file("tp_7", "plans/web.json") == "rs_7"
    assert (
        id_of_file(None, "plans/web.json") == id_of_file("7", "plans/web.json") != id_of_file(None, "b.json")
    )


def test_a_plan_comes_back_with_all_that_is_said_of_it(tmp_path: Path) -> None:
    plan = a_plan(
        Rule("TRACK", "A", 1, about(), "", "It happened.", "2026-01-01"),
        description="d",
        type="TEMPLATE",
        create_time="2026-01-01T00:00:00.000Z",
        update_time="2026-01-02T00:00:00.000Z",
    )
    found = kept(tmp_path / "plans", plan)
    assert (found.description, found.type, found.create_time, found.update_time) == (
        *("d", "TEMPLATE"),
        *("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"),
    )
    assert config_rules(found.rules) == config_rules(plan.rules)
    assert list(store.ids(tmp_path / "plans")) == [plan.id]


def test_only_files_of_plans_are_plans(tmp_path: Path) -> None:
    for name in ("web.json", "rs_1.txt", "rs_.json", ".rs_1.json.x", "rs_é.json"):
        (tmp_path / name).touch()
    assert list(store.ids(tmp_path)) == []
    assert list(store.ids(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "not JSON"),
        (b"[]", "no tracking plan"),
        (b'{"rules": {"events": 3}}', "rules.events: must be a list"),
    ],
)
def test_a_broken_file_is_told(text: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "rs_1.json").write_bytes(text)
    with pytest.raises(NoPlan, match=says):
        store.read(tmp_path, "rs_1")


def test_mistakes_have_the_places_of_the_rules_that_were_given() -> None:
    with pytest.raises(WrongPlan) as raised:
        store.made_ready(a_plan(Rule("PAGE", "Home", 1, {"$ref": "http://x"}, "rules[7].jsonSchema")))
    assert raised.value.mistakes == (
        "rules[7].jsonSchema.$ref: must begin with `#`: nothing outside the schema is fetched",
    )


@pytest.mark.parametrize("number", [10**30, float("inf")])
def test_a_number_that_json_cannot_keep_is_refused(number: float) -> None:
    with pytest.raises(WrongPlan, match="too large"):
        store.made_ready(a_plan(Rule("TRACK", "A", 1, {"labels": {"n": number}}, "x")))


def test_a_failed_write_leaves_the_old_text_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.json"
    store.write_whole(file, b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        store.write_whole(file, b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.json": b"old"}


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    store.write_whole(file, b"old")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    file.chmod(0o600)
    store.write_whole(file, b"new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_file_has_the_config_apis_form_and_others() -> None:
    plan = a_plan(
        Rule("TRACK", "A", 1, about(), ""),
        Rule("COMMON", "", 1, about(), ""),
        Rule("COMMON", "", 2, about(), ""),
        Rule("PAGE", "Home", 1, about(), ""),
    )
    rules = file_form(plan)["rules"]
    assert [one["name"] for one in rules["events"]] == ["A"]
    assert rules["global"] == about()
    assert [(one["type"], one["version"]) for one in rules["others"]] == [("COMMON", 2), ("PAGE", 1)]


# --- connections


def test_connections_come_back_and_what_says_nothing_goes(tmp_path: Path) -> None:
    assert read_connections(tmp_path) == Connections()
    all_ = (
        Connections()
        .with_("web", Connection("rs_1"))
        .with_("app", Connection(None, {"allow_unplanned_track_events": False}))
    )
    write_connections(tmp_path, all_)
    assert read_connections(tmp_path) == all_
    assert all_.of("web").plan == "rs_1"
    assert all_.of("nobody") == Connection()
    assert all_.with_("web", Connection()).sources.keys() == {"app"}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"sources": {"web": {"pan": "rs_1"}}}',
        b'{"sources": {"web": {"controls": {"allow": true}}}}',
        b'{"sources": {"web": {"controls": {"allow_unplanned_track_events": 0}}}}',
        b'{"sources": ' * 2000,
    ],
)
def test_a_broken_file_of_connections_is_a_config_error(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "api.json").write_bytes(text)
    with pytest.raises(ConfigError, match=r"api\.json: "):
        read_connections(tmp_path)


def test_a_folder_in_place_of_the_file_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "api.json").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        read_connections(tmp_path)
