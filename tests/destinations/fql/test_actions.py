"""What filters do to events: samples, drops, properties; in which order, and never to the event given."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.fql import FqlError
from relay.destinations.fql.actions import MAX_FILTERS, Filter, Filters, Step, compile_filters
from relay.destinations.fql.sampling import share

SIGNED_UP: dict[str, Any] = {
    "type": "track",
    "event": "Signed Up",
    "userId": "u1",
    "context": {"device": {"id": "d", "type": "ios"}, "ip": "1.2.3.4"},
    "properties": {"products": [{"sku": "a", "price": 1}, "text", {"sku": "b"}], "a b": {"c": 1, "d": 2}},
}


def filters(*raw: dict[str, Any]) -> Step:
    return compile_filters(msgspec.convert([{"if": "all"} | each for each in raw], tuple[Filter, ...]))


def acted(*actions: dict[str, Any], event: dict[str, Any] = SIGNED_UP) -> dict[str, Any] | None:
    return filters({"actions": list(actions)})(event)


def test_a_filter_as_it_stands_in_relay_toml() -> None:
    text = """
    [[filters]]
    title = "No device ids"
    if = 'event = "Signed Up"'
    actions = [{ type = "DROP_PROPERTIES", fields = { "context.device" = ["id"] } }]
    """
    found = msgspec.convert(msgspec.toml.decode(text)["filters"], Filters)
    apply = compile_filters(found)
    changed = apply(SIGNED_UP)
    assert changed is not None
    assert changed["context"] == {"device": {"type": "ios"}, "ip": "1.2.3.4"}
    page = {"type": "page", "context": {"device": {"id": "d"}}}
    assert apply(page) is page


@pytest.mark.parametrize(
    "raw",
    [
        {"if": "all", "actions": []},
        {"if": "all", "actions": [{"type": "KEEP"}]},
        {"if": "all", "actions": [{"type": "DROP", "percent": 1}]},
        {"if": "all", "actions": [{"type": "SAMPLE"}]},
        {"if": "all", "actions": [{"type": "SAMPLE", "percent": 1.5}]},
        {"if": "all", "actions": [{"type": "DROP_PROPERTIES", "fields": {}}]},
        {"if": "all", "actions": [{"type": "DROP"}], "titel": ""},
        {"if": "all", "actions": [{"type": "DROP"}], "title": "x" * 65},
        {"actions": [{"type": "DROP"}]},
    ],
)
def test_what_is_no_filter_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(raw, Filter)


def test_a_destination_has_at_most_ten_filters() -> None:
    one = {"if": "all", "actions": [{"type": "DROP"}]}
    assert msgspec.convert([one] * MAX_FILTERS, Filters)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert([one] * (MAX_FILTERS + 1), Filters)


def test_drop_drops_what_matches_and_nothing_else() -> None:
    apply = filters({"if": 'type = "track"', "actions": [{"type": "DROP"}]})
    assert apply(SIGNED_UP) is None
    assert apply({"type": "page"}) == {"type": "page"}


def test_no_filters_or_none_that_is_enabled_let_everything_through() -> None:
    off = {"enabled": False, "if": "this is not read", "actions": [{"type": "DROP"}]}
    assert filters()(SIGNED_UP) is SIGNED_UP
    assert filters(off)(SIGNED_UP) is SIGNED_UP


def test_several_conditions_to_send_only_are_anded() -> None:
    only = [
        {"if": f"!({condition})", "actions": [{"type": "DROP"}]}
        for condition in ("type = 'track'", "event = 'x'")
    ]
    assert filters(*only)({"type": "track", "event": "x"}) is not None
    assert filters(*only)({"type": "track", "event": "y"}) is None


def test_a_bad_condition_is_an_error_at_once_and_one_that_cannot_judge_at_the_event() -> None:
    with pytest.raises(FqlError):
        filters({"if": "type =", "actions": [{"type": "DROP"}]})
    apply = filters({"if": "userId", "actions": [{"type": "DROP_PROPERTIES", "fields": {"": ["userId"]}}]})
    with pytest.raises(FqlError):
        apply(SIGNED_UP)


def test_properties_are_dropped_from_the_listed_parents() -> None:
    changed = acted(
        {
            "type": "DROP_PROPERTIES",
            "fields": {"": ["userId", "gone"], "context.device": ["id"], "no.such": ["x"]},
        }
    )
    assert changed == {
        **{k: v for k, v in SIGNED_UP.items() if k != "userId"},
        "context": {"device": {"type": "ios"}, "ip": "1.2.3.4"},
    }


def test_a_parent_that_is_a_list_means_each_object_in_it() -> None:
    dropped = acted({"type": "DROP_PROPERTIES", "fields": {"properties.products": ["sku"]}})
    allowed = acted({"type": "ALLOW_PROPERTIES", "fields": {"properties.products": ["sku"]}})
    one = acted({"type": "DROP_PROPERTIES", "fields": {"properties.products.0": ["sku"]}})
    assert dropped is not None
    assert allowed is not None
    assert one is not None
    assert dropped["properties"]["products"] == [{"price": 1}, "text", {}]
    assert allowed["properties"]["products"] == [{"sku": "a"}, "text", {"sku": "b"}]
    assert one["properties"]["products"] == [{"price": 1}, "text", {"sku": "b"}]


def test_allowing_touches_only_the_listed_parents() -> None:
    changed = acted({"type": "ALLOW_PROPERTIES", "fields": {"context.device": ["id"]}})
    assert changed == SIGNED_UP | {"context": {"device": {"id": "d"}, "ip": "1.2.3.4"}}


def test_a_parent_path_escapes_as_fql_does() -> None:
    changed = acted({"type": "DROP_PROPERTIES", "fields": {r"properties.a\ b": ["c"]}})
    same = acted({"type": "DROP_PROPERTIES", "fields": {"properties.a b": ["c"]}})
    assert changed is not None
    assert changed == same
    assert changed["properties"]["a b"] == {"d": 2}


def test_only_what_leads_to_a_change_is_copied() -> None:
    changed = acted({"type": "DROP_PROPERTIES", "fields": {"context.device": ["id"]}})
    assert changed is not None
    assert changed["properties"] is SIGNED_UP["properties"]
    assert acted({"type": "DROP_PROPERTIES", "fields": {"context.device": ["nothing"]}}) is SIGNED_UP


def test_drops_come_before_allows_whatever_the_order_in_the_file() -> None:
    allow = {"actions": [{"type": "ALLOW_PROPERTIES", "fields": {"": ["type", "event"]}}]}
    drop = {"actions": [{"type": "DROP_PROPERTIES", "fields": {"": ["event"]}}]}
    assert filters(allow, drop)(SIGNED_UP) == filters(drop, allow)(SIGNED_UP) == {"type": "track"}


def test_samples_come_first() -> None:
    asked = []

    def random() -> float:
        asked.append(1)
        return 0.4

    raw = [
        {"if": "all", "actions": [{"type": "DROP"}]},
        {"if": "all", "actions": [{"type": "SAMPLE", "percent": 0.5}]},
    ]
    assert compile_filters(msgspec.convert(raw, Filters), random=random)(SIGNED_UP) is None
    assert asked


def test_a_condition_sees_the_event_as_it_came() -> None:
    hide = {"actions": [{"type": "DROP_PROPERTIES", "fields": {"": ["event"]}}]}
    then = {
        "if": "event = 'Signed Up'",
        "actions": [{"type": "ALLOW_PROPERTIES", "fields": {"": ["type", "event"]}}],
    }
    assert filters(hide, then)(SIGNED_UP) == {"type": "track"}


def sampled(percent: float, path: str | None = None) -> Step:
    return filters({"actions": [{"type": "SAMPLE", "percent": percent} | ({"path": path} if path else {})]})


def test_a_sample_by_chance_takes_the_random_it_is_given() -> None:
    raw = [{"if": "all", "actions": [{"type": "SAMPLE", "percent": 0.5}]}]
    for number, stays in ((0.0, True), (0.49, True), (0.5, False), (0.99, False)):
        apply = compile_filters(msgspec.convert(raw, Filters), random=lambda number=number: number)  # type: ignore[misc]
        assert (apply(SIGNED_UP) is not None) is stays


@pytest.mark.parametrize("path", [None, "userId"])
def test_nothing_and_everything_are_exact(path: str | None) -> None:
    for user in range(200):
        assert sampled(0, path)({"userId": user}) is None
        assert sampled(1, path)({"userId": user}) is not None


@pytest.mark.parametrize("percent", [0.01, 0.1, 0.5, 0.9])
def test_a_sample_by_a_value_is_near_its_share(percent: float) -> None:
    apply = sampled(percent, "userId")
    kept = sum(apply({"userId": f"user-{i}"}) is not None for i in range(10_000))
    assert abs(kept / 10_000 - percent) < 0.015


@given(
    st.one_of(st.text(), st.integers(), st.none(), st.floats(allow_nan=False)),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_sample_by_a_value_is_always_the_same_and_grows_with_its_percentage(
    value: Any, one: float, other: float
) -> None:
    event = {"properties": {"id": value}}
    fates = [sampled(percent, "properties.id")(event) is not None for percent in sorted((one, other))]
    assert fates == [sampled(percent, "properties.id")(event) is not None for percent in sorted((one, other))]
    assert fates[0] <= fates[1]


def test_shares_never_change() -> None:
    """They are a promise: after an update the same users must be in the sample."""
    assert [round(share(value), 6) for value in ("u1", "u2", 1, None)] == [
        0.344693,
        0.992114,
        0.964787,
        0.45103,
    ]


KEYS = st.sampled_from(("a", "b", "c"))
OBJECTS = st.recursive(
    st.dictionaries(KEYS, st.integers(), max_size=3),
    lambda inner: st.dictionaries(KEYS, inner | st.lists(inner, max_size=3), max_size=3),
)
PATHS = st.lists(st.sampled_from(("a", "b", "c", "0")), max_size=3).map(".".join)
FIELDS = st.dictionaries(PATHS, st.lists(KEYS), min_size=1, max_size=3)


@given(OBJECTS, FIELDS, FIELDS)
def test_the_event_given_is_never_changed(
    event: dict[str, Any], drop: dict[str, list[str]], allow: dict[str, list[str]]
) -> None:
    before = copy.deepcopy(event)
    actions = [{"type": "DROP_PROPERTIES", "fields": drop}, {"type": "ALLOW_PROPERTIES", "fields": allow}]
    once = acted(*actions, event=event)
    assert event == before
    assert once is not None
    for path, keys in drop.items():
        if path == "":
            assert not set(keys) & once.keys()


@given(OBJECTS, FIELDS)
def test_dropping_and_allowing_twice_is_doing_it_once(
    event: dict[str, Any], fields: dict[str, list[str]]
) -> None:
    drop = {"type": "DROP_PROPERTIES", "fields": fields}
    once = acted(drop, event=event)
    assert once is not None
    again = acted(drop, event=once)
    assert again == once
