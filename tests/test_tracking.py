"""What the Segment spec asks of one event, and what is told to who breaks it."""

from typing import Any

import pytest

from relay.event import TYPES
from relay.tracking import problem

GOOD: dict[str, dict[str, Any]] = {
    "track": {"event": "Ordered"},
    "identify": {},
    "page": {},
    "screen": {},
    "group": {"groupId": "g"},
    "alias": {"previousId": "p"},
}
EMPTY = [None, "", ...]


def event(kind: str, **fields: Any) -> dict[str, Any]:
    """A good event with other fields; one that is `...` is left out."""
    whole = {"type": kind, "userId": "u", **GOOD[kind], **fields}
    return {name: value for name, value in whole.items() if value is not ...}


def code(fields: object, route: str = "batch") -> str | None:
    found = problem(fields, route)
    return None if found is None else found[0]


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_a_good_event_of_each_type_has_no_problem(kind: str) -> None:
    assert problem(event(kind), "batch") is None
    assert problem(event(kind, type=...), kind) is None
    full = event(kind, context={"a": 1}, integrations={"All": True}, properties={"b": 2}, traits={"c": 3})
    assert problem(full, "batch") is None


@pytest.mark.parametrize("kind", ["", "Track", "purchase", None, 5, ["track"], {}, ...])
def test_in_a_batch_the_type_must_be_one_of_the_six(kind: object) -> None:
    assert code(event("track", type=kind)) == "bad_request"


@pytest.mark.parametrize("kind", ["", "Track", "purchase", None, 5, "identify", ...])
def test_on_a_route_of_its_own_the_route_says_the_type(kind: object) -> None:
    assert problem(event("track", type=kind), "track") is None


@pytest.mark.parametrize("value", [None, 5, "text", [], [{}], True])
def test_an_event_is_an_object(value: object) -> None:
    assert code(value) == code(value, "track") == "bad_request"


@pytest.mark.parametrize("kind", sorted(TYPES - {"alias"}))
@pytest.mark.parametrize("user", EMPTY)
@pytest.mark.parametrize("anonymous", EMPTY)
def test_somebody_must_have_done_it(kind: str, user: object, anonymous: object) -> None:
    assert code(event(kind, userId=user, anonymousId=anonymous)) == "no_user_anon_id"


@pytest.mark.parametrize("kind", sorted(TYPES - {"alias"}))
@pytest.mark.parametrize("id_", ["a", 5, 0, 1.5])
@pytest.mark.parametrize("absent", EMPTY)
def test_either_id_will_do_and_zero_is_one(kind: str, id_: object, absent: object) -> None:
    assert problem(event(kind, userId=absent, anonymousId=id_), "batch") is None
    assert problem(event(kind, userId=id_, anonymousId=absent), "batch") is None


@pytest.mark.parametrize("odd", [True, False, ["u"], {"a": 1}])
@pytest.mark.parametrize("name", ["userId", "anonymousId", "groupId", "previousId"])
def test_ids_are_texts_or_numbers(name: str, odd: object) -> None:
    kind = "alias" if name == "previousId" else "group"
    found = problem(event(kind, **{name: odd}), "batch")
    assert found == ("id_not_string", f"{name} must be a string")


@pytest.mark.parametrize("odd", [True, 5, "text", ["x"]])
@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("properties", "properties_not_object"),
        ("traits", "traits_not_object"),
        ("context", "bad_request"),
        ("integrations", "bad_request"),
    ],
)
def test_objects_are_objects(name: str, slug: str, odd: object) -> None:
    for kind in TYPES:
        assert problem(event(kind, **{name: odd}), "batch") == (slug, f"{name} must be an object")


@pytest.mark.parametrize("empty", [*EMPTY, [], {}])
@pytest.mark.parametrize("name", ["properties", "traits", "context", "integrations"])
def test_empty_objects_may_be_written_in_many_ways(name: str, empty: object) -> None:
    for kind in TYPES:
        assert problem(event(kind, **{name: empty}), "batch") is None


@pytest.mark.parametrize("empty", EMPTY)
def test_a_track_has_an_event(empty: object) -> None:
    assert code(event("track", event=empty)) == "missing_event"


@pytest.mark.parametrize("odd", [5, True, ["x"], {}, 0])
def test_the_event_of_a_track_is_a_text(odd: object) -> None:
    assert code(event("track", event=odd)) == "event_not_string"


@pytest.mark.parametrize("empty", EMPTY)
def test_a_group_has_a_group(empty: object) -> None:
    assert problem(event("group", groupId=empty), "batch") == ("id_required", "groupId is required")


@pytest.mark.parametrize("empty", EMPTY)
def test_an_alias_has_both_ids(empty: object) -> None:
    assert problem(event("alias", userId=empty), "batch") == ("id_required", "userId is required")
    assert problem(event("alias", previousId=empty), "batch") == ("id_required", "previousId is required")
    assert code(event("alias", userId=empty, previousId=empty)) == "no_user_anon_id"


def test_an_alias_may_lead_to_itself() -> None:
    assert problem(event("alias", userId="same", previousId="same"), "batch") is None


@pytest.mark.parametrize("kind", ["page", "screen"])
@pytest.mark.parametrize("name", ["name", "category"])
def test_the_names_of_a_page_are_texts(kind: str, name: str) -> None:
    for good in (*EMPTY, "Home"):
        assert problem(event(kind, **{name: good}), "batch") is None
    odds: list[object] = [5, True, ["x"], {}]
    for odd in odds:
        assert code(event(kind, **{name: odd})) == f"{name}_not_string"


def test_an_event_is_looked_at_and_not_changed() -> None:
    fields = event("group", userId=5, traits=[], context=None, anonymousId="")
    before = dict(fields)
    assert problem(fields, "batch") is None
    assert fields == before
