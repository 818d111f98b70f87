"""A plan from events: what it says, what it leaves unsaid, and that the events it was made from keep it."""

import re
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.plans import gathering
from relay.plans.controls import Controls
from relay.plans.enforce import Enforcer
from relay.plans.infer import ENOUGH, MAX_EVENTS, Inference, Inferred
from relay.plans.looks import is_presentable
from relay.plans.ruling import Ruling
from tests.plans.plans import Json, compiled, identify, track
from tests.plans.shop import shop_events


def inferred(*events: Json, examples: bool = False) -> Inferred:
    inference = Inference()
    for event in events:
        inference.observe(event)
    return inference.plan("Shop", examples=examples)


def rules_of(found: Inferred) -> dict[str, Json]:
    rules = found.plan["rules"]
    return {event["name"]: event["rules"] for event in rules["events"]} | {
        kind: rules[kind] for kind in ("identify", "group") if kind in rules
    }


def of(*values: Any, examples: bool = False, name: str = "it") -> Json:
    """What is said of a property that had these values, without its description."""
    events = [track("A", **{name: value}) for value in values]
    schema = rules_of(inferred(*events, examples=examples))["A"]["properties"]["properties"]
    said: Json = schema["properties"][name]
    return {key: value for key, value in said.items() if key != "description"}


def notes(found: Inferred) -> list[str]:
    return [str(note) for note in found.notes]


@pytest.fixture(scope="module")
def shop() -> Inferred:
    return inferred(*shop_events(4000))


# the whole


def test_the_plan_of_a_shop_is_what_a_person_would_write(shop: Inferred) -> None:
    rules = rules_of(shop)
    assert list(rules) == [
        *(
            "Cart Viewed",
            "Order Completed",
            "Page Viewed",
            "Product Added",
            "Product Viewed",
            "Screen Viewed",
        ),
        *("identify", "group"),
    ]
    order = rules["Order Completed"]["properties"]["properties"]
    assert order["required"] == sorted(order["properties"])
    said = {
        name: {k: v for k, v in one.items() if k != "description"}
        for name, one in order["properties"].items()
    }
    products = said.pop("products")
    assert said == {
        "order_id": {"type": "string"},
        "total": {"type": "number"},
        "discount": {"type": ["number", "null"]},
        "coupon": {"type": ["string", "null"]},
        "currency": {"type": "string"},
        "payment_method": {"type": "string", "enum": ["invoice", "paypal", "visa"]},
        "email": {"type": "string", "format": "email"},
        "phone": {"type": "string"},
        "placed_at": {"type": "string", "format": "date-time"},
        "is_gift": {"type": "boolean"},
    }
    item = products["items"]
    assert (products["type"], item["type"]) == ("array", "object")
    assert sorted(item["properties"].keys() - set(item["required"])) == ["coupon"]
    assert item["properties"]["product_id"]["format"] == "uuid"
    assert item["properties"]["image_url"]["format"] == "uri"
    assert (item["properties"]["price"]["type"], item["properties"]["quantity"]["type"]) == (
        "number",
        "integer",
    )
    assert (
        item["properties"]["name"].keys() == item["properties"]["category"].keys() == {"description", "type"}
    )


def test_traits_are_never_required(shop: Inferred) -> None:
    traits = rules_of(shop)["identify"]["properties"]["traits"]
    assert "required" not in traits
    assert traits["properties"]["plan"]["enum"] == ["enterprise", "free", "pro"]
    assert traits["properties"]["address"]["required"] == ["city", "postal_code"]


def test_pages_and_screens_are_events_of_their_name(shop: Inferred) -> None:
    rules = rules_of(shop)
    assert rules["Page Viewed"]["properties"]["properties"]["required"] == [
        *("path", "referrer", "search", "title", "url"),
    ]
    assert rules["Screen Viewed"]["properties"]["properties"]["properties"]["app_version"]["type"] == "string"


def test_the_events_of_a_shop_keep_its_plan(shop: Inferred) -> None:
    enforcer = Enforcer(compiled(shop.plan), Controls(allow_unplanned_track_events=False))
    assert [event for event in shop_events(4000) if enforcer(event) is not None] == []
    assert notes(shop) == [
        "Cart Viewed: properties.cart: holds 200 different names or more: they are not in the plan"
    ]


def test_the_descriptions_say_how_often(shop: Inferred) -> None:
    orders = next(event for event in shop.plan["rules"]["events"] if event["name"] == "Order Completed")
    (count,) = re.findall(r"^Seen (\d+) times\.$", orders["description"])
    said = orders["rules"]["properties"]["properties"]["properties"]
    assert said["order_id"]["description"] == f"Seen in all {count} events."
    assert re.fullmatch(
        r"Seen in (2|3)\d\.\d % of \d{3} objects\.",
        said["products"]["items"]["properties"]["coupon"]["description"],
    )


def test_aliases_have_nothing_to_plan() -> None:
    found = inferred({"type": "alias", "userId": "u", "previousId": "v"})
    assert (found.plan["rules"], found.events) == ({"events": []}, 1)


# types


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((1, 2), "integer"),
        ((1, 2.5), "number"),
        ((1.0,), "number"),
        ((True, False), "boolean"),
        (("a", None), ["string", "null"]),
        (("a", 1, "b"), ["string", "integer"]),
        (([],), "array"),
        (({},), "object"),
    ],
)
def test_the_types_are_those_that_were_seen(values: tuple[Any, ...], said: Any) -> None:
    assert of(*values) == {"type": said}


def test_whole_prices_are_numbers() -> None:
    assert of(5, 6, name="unitPrice") == {"type": "number"}
    assert of(5, 6, name="floor") == {"type": "integer"}


def test_nothing_but_null_says_nothing() -> None:
    assert of(None, None) == {}


def test_a_rare_odd_type_is_noted_and_left_to_be_a_violation() -> None:
    events = [track("A", it=1)] * 200 + [track("A", it="1")]
    found = inferred(*events)
    assert rules_of(found)["A"]["properties"]["properties"]["properties"]["it"]["type"] == "integer"
    assert notes(found) == ["A: properties.it: string in 1 of 201 values: not in the plan, a violation"]


def test_a_type_that_is_common_enough_is_one_of_several() -> None:
    assert of(*[1] * 98, "1", "2") == {"type": ["integer", "string"]}


# required


def test_what_every_one_of_enough_events_has_is_required() -> None:
    events = [track("A", a=1, **({"b": 1} if number else {})) for number in range(ENOUGH)]
    assert rules_of(inferred(*events))["A"]["properties"]["properties"]["required"] == ["a"]
    assert "required" not in rules_of(inferred(*events[1:]))["A"]["properties"]["properties"]


def test_what_is_missing_in_one_of_a_thousand_is_required_and_noted() -> None:
    found = inferred(*[track("A", a=1)] * 1999, track("A"))
    assert rules_of(found)["A"]["properties"]["properties"]["required"] == ["a"]
    assert notes(found) == ["A: properties.a: missing once of 2,000: required all the same"]


# enum and format


def test_few_texts_that_were_seen_often_are_an_enum() -> None:
    assert of(*["red", "dark blue", None] * 50) == {
        "type": ["string", "null"],
        "enum": ["dark blue", "red", None],
    }


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("it", ["a", "b"] * 40),  # too seldom
        ("it", ["a"] * 200),  # no choice
        ("it", ["a", "b"] * 100 + ["c"]),  # there will be others
        ("it", [f"v{chr(97 + n)}" for n in range(15)] * 20),  # too many
        ("it", ["ann@example.com", "bob@example.com"] * 100),
        ("it", ["1001", "1002"] * 100),
        ("it", ["Buy now, pay later in four parts", "Pay at once and be done with it"] * 100),
        ("first_name", ["Ann", "Bob"] * 100),
        ("currency", ["USD", "EUR"] * 100),
        ("tags", ["a", "b"] * 100),
        ("categories", ["a", "b"] * 100),
    ],
)
def test_other_texts_are_no_enum(name: str, values: list[str]) -> None:
    assert "enum" not in of(*values, name=name)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("date-time", "2026-11-24T08:45:32.179+01:00"),
        ("date", "2026-11-24"),
        ("email", "ann@example.com"),
        ("uri", "https://www.example.com/a?b=c"),
        ("uuid", "7f2d5a52-0b62-4a29-b1a7-8a7ddc5c1a3e"),
        ("ipv4", "192.168.0.1"),
    ],
)
def test_a_format_is_believed_where_every_text_has_it(form: str, value: str) -> None:
    assert of(*[value] * 5) == {"type": "string", "format": form}
    assert of(*[value] * 4) == of(*[value] * 100, "other") == {"type": "string"}


# names


def test_a_name_that_was_seen_once_stays_and_is_noted() -> None:
    found = inferred(*[track("Paid", a=1)] * 300, track("piad"), track("Debug", a=1), track("paid", a=1))
    assert list(rules_of(found)) == ["Debug", "Paid", "paid", "piad"]
    assert notes(found) == [
        "paid: seen once, looks like `Paid`, seen 300 times",
        "Debug: seen once: is it meant?",
        "piad: seen once: is it meant?",
    ]


def test_a_property_that_looks_like_another_is_noted() -> None:
    found = inferred(*[track("A", order_id="1")] * 200, track("A", orderId="1"), track("A", ordr_id="1"))
    assert notes(found)[:2] == [
        "A: properties.orderId: seen once, looks like `order_id`, seen 200 times",
        "A: properties.ordr_id: seen once, looks like `order_id`, seen 200 times",
    ]


def test_names_that_look_like_values_are_not_in_the_plan() -> None:
    found = inferred(*[track("A", cart={str(n): 1, str(n + 1): 2}) for n in range(30)])
    assert rules_of(found)["A"]["properties"]["properties"]["properties"]["cart"].keys() == {
        "type",
        "description",
    }
    assert notes(found) == ["A: properties.cart: holds 31 different names or more: they are not in the plan"]
    assert "example.com" not in str(inferred(track("A", **{"ann@example.com": 1})))


def test_an_object_deeper_than_the_limit_is_only_an_object() -> None:
    schema = of({"b": {"c": {"d": {"e": 1}}}})
    for name in "bcd":
        schema = schema["properties"][name]
    assert schema.keys() == {"type", "description"}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering.Room.__init__, "__defaults__", (50,))
    found = inferred(*[track(f"E{n}", **{f"p{m}": {"a": 1} for m in range(50)}) for n in range(40)])
    assert str(found.plan).count("'description'") <= 100
    assert any("a name that is not in the plan" in note for note in notes(found))


def test_no_more_names_of_events_than_a_plan_may_have() -> None:
    found = inferred(
        *(track(f"Event {chr(97 + n % 26)}{n}") for n in range(MAX_EVENTS + 7)), track("x" * 201)
    )
    assert len(found.plan["rules"]["events"]) == MAX_EVENTS
    assert notes(found)[0].startswith("(others): 8 events are not in the plan")


# examples


def test_values_stand_in_the_plan_only_when_asked_for() -> None:
    events = [
        {
            **track(
                "A",
                sku="G-32",
                total=7.5,
                email="a@b.example",
                phone="+49 89 1234567",
                id=123456789,
                note="x" * 50,
            )
        },
        identify(city="Ulm"),
    ]
    without, having = (str(inferred(*events, examples=examples).plan) for examples in (False, True))
    assert not any(value in without for value in ("G-32", "7.5"))
    assert '"G-32"' in having
    assert "7.5" in having
    assert not any(value in having for value in ("@b", "1234567", "xxxx", "Ulm"))


@pytest.mark.parametrize(
    "value", ["a@b", "089 1234567", 491234567, "x" * 41, "a1" * 12, "", "a\nb", True, None]
)
def test_some_values_are_never_examples(value: Any) -> None:
    assert not is_presentable(value)


# the promise

NAMES = st.sampled_from(["a", "b", "order_id", "orderId", "price", "7", "", "x.y", "a$"])
TEXTS = st.sampled_from(
    ["", "red", "blue", "2026-11-24", "2026-11-24T08:45:32Z", "1.2.3.4", "a@b.cd", "http://a", "é"]
)
SCALARS = st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats(-1e9, 1e9, width=32) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(NAMES, v, max_size=4), max_leaves=12
)
EVENTS = st.builds(
    lambda kind, held: {
        "type": kind,
        "event": "A",
        "sourceId": "s",
        ("traits" if kind in ("identify", "group") else "properties"): held,
    },
    st.sampled_from(["track", "page", "screen", "identify", "group"]),
    st.dictionaries(NAMES, VALUES, max_size=5),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=20), st.sampled_from([1, 20, 120]), st.booleans())
def test_events_keep_the_plan_that_was_made_from_them(events: list[Json], times: int, examples: bool) -> None:
    found = inferred(*(events * times)[:500], examples=examples)
    plan = orjson.loads(orjson.dumps(found.plan)) if not _has_large(found.plan) else found.plan
    enforcer = Enforcer(compiled(plan), Controls(allow_unplanned_track_events=False))
    noted = _noted(found)
    for event in events[:500]:
        ruling = enforcer(event)
        assert ruling is None or _fields(ruling) <= noted, ruling


def _has_large(value: Any) -> bool:
    return re.search(r"\d{19}", str(value)) is not None


def _fields(ruling: Ruling) -> set[str]:
    assert ruling.blocked is None
    return {re.sub(r"\.\d+(?=\.|$)", ".$", field) for _, field, _ in ruling.violations}


def _noted(found: Inferred) -> set[str]:
    """The fields of the notes, as the validator has them: it leaves out a name that is empty, and numbers are places."""
    return {re.sub(r"\.\d+(?=\.|$)", ".$", re.sub(r"\.(?=\.|$)", "", note.field)) for note in found.notes}


@settings(max_examples=25, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=6), EVENTS)
def test_what_is_odd_among_many_is_noted(events: list[Json], odd: Json) -> None:
    many = events * 101
    found = inferred(*many, odd)
    enforcer = Enforcer(compiled(found.plan), Controls())
    noted = _noted(found)
    for event in (*events, odd):
        ruling = enforcer(event)
        assert ruling is None or _fields(ruling) <= noted, ruling
