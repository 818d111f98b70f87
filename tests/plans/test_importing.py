"""Segment's CSV and the Public API's answers, made into a plan file."""

import csv
import io
from typing import Any

import orjson
import pytest

from relay.plans.compile import compile_plan
from relay.plans.csv_plan import read_table
from relay.plans.diff import plan_changes
from relay.plans.importing import Imported, from_api, from_csv
from relay.plans.shapes import read_plan
from tests.plans.plans import Json, about, compiled

HEADER = (
    "Event Name,Event Description,Event Version,Labels,Property Name,Property Description,"
    "Property Type,Required,Allowed Property Values,Enum"
)


def table(*rows: str, header: str = HEADER) -> str:
    return "\r\n".join([header, *rows]) + "\r\n"


def of(*rows: str) -> Json:
    """The properties of the only rule."""
    found = from_csv(table(*rows), "Shop")
    assert found.mistakes == []
    compiled(found.plan)
    (event,) = found.plan["rules"]["events"]
    inner: Json = event["rules"]["properties"]["properties"]
    return inner


def mistakes(*rows: str, header: str = HEADER) -> list[str]:
    return from_csv(table(*rows, header=header), "Shop").mistakes


# CSV


def test_a_table_is_a_plan() -> None:
    found = from_csv(
        "\N{BYTE ORDER MARK}"
        + table(
            'Order Completed,"An order, paid",1,"team:checkout, priority:1",,,,,,',
            'Order Completed,,1,,order_id,"The ""id""",string,required,^o-[0-9]+$,',
            "Order Completed,,2,,order_id,,integer,optional,,",
            'Identify,,,,plan,,"string, null",optional,,"free, pro"',
            "Group,,,,since,,date-time,required,,",
        ),
        "Shop",
    )
    assert (found.mistakes, found.notes, found.plan["display_name"]) == ([], [], "Shop")
    rules = {(r.kind, r.key, r.version): r for r in compiled(found.plan).plan.rules}
    assert list(rules) == [
        ("TRACK", "Order Completed", 1),
        ("TRACK", "Order Completed", 2),
        ("IDENTIFY", "", 1),
        ("GROUP", "", 1),
    ]
    first = rules["TRACK", "Order Completed", 1]
    assert (first.description, first.labels) == ("An order, paid", {"team": "checkout", "priority": "1"})
    assert first.schema["properties"]["properties"] == {
        "type": "object",
        "required": ["order_id"],
        "properties": {"order_id": {"description": 'The "id"', "pattern": "^o-[0-9]+$", "type": "string"}},
    }
    traits = [rules[kind, "", 1].schema["properties"]["traits"] for kind in ("IDENTIFY", "GROUP")]
    assert traits[0]["properties"]["plan"] == {"enum": ["free", "pro", None], "type": ["string", "null"]}
    assert traits[1] == {
        "type": "object",
        "required": ["since"],
        "properties": {"since": {"format": "date-time", "type": "string"}},
    }


def test_items_of_lists_and_members_of_objects_stand_in_any_order() -> None:
    inner = of(
        "A,,,,products.$.sku,,string,required,,",
        "A,,,,products,The items,array,required,,",
        "A,,,,products.$.price,,number,,,",
        "A,,,,address.city,,string,required,,",
        "A,,,,tags.$,,string,,,",
        "A,,,,tags,,array,,,",
    )
    assert inner["required"] == ["products"]
    assert inner["properties"] == {
        "products": {
            "description": "The items",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["sku"],
                "properties": {"sku": {"type": "string"}, "price": {"type": "number"}},
            },
        },
        "address": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
        "tags": {"type": "array", "items": {"type": "string"}},
    }


@pytest.mark.parametrize(
    ("kind", "enum", "schema"),
    [
        ("any", "", {}),
        ("", "", {}),
        ("Date time", "", {"type": "string", "format": "date-time"}),
        ("Boolean", "", {"type": "boolean"}),
        ('"[""integer"", ""null""]"', "", {"type": ["integer", "null"]}),
        ("number", "1|2.5", {"type": "number", "enum": [1, 2.5]}),
        ("boolean", "TRUE", {"type": "boolean", "enum": [True]}),
        ("string", "1|2", {"type": "string", "enum": ["1", "2"]}),
        ("enum", '"[1, ""a""]"', {"enum": [1, "a"]}),
    ],
)
def test_types_and_choices(kind: str, enum: str, schema: Json) -> None:
    assert of(f"A,,,,it,,{kind},,,{enum}")["properties"]["it"] == schema


def test_a_row_without_an_event_belongs_to_the_one_above() -> None:
    assert list(of("A,,,,,,,,,", ",,,,a,,string,yes,,", "", ",,,,b,,,no,,")["properties"]) == ["a", "b"]


def test_headers_are_taken_in_any_case_and_order_and_others_are_named() -> None:
    header = "property_name,TYPE,event name,Owner,Status"
    found = from_csv(table("a,string,A,ann,required", header=header), "Shop")
    assert found.notes == ["column `Owner` is not read"]
    (event,) = found.plan["rules"]["events"]
    assert event["rules"]["properties"]["properties"]["required"] == ["a"]


def test_pages_of_a_name_stay_what_they_are() -> None:
    found = from_csv(table("Home,PAGE,a,string", header="Event Name,Rule Type,Property Name,Type"), "Shop")
    (rule,) = compiled(found.plan).plan.rules
    assert (rule.kind, rule.key) == ("PAGE", "Home")


@pytest.mark.parametrize(
    ("row", "mistake"),
    [
        (",,,,a,,string,,,", "2: the name of the event is missing"),
        ("A,,x,,a,,,,,", "2: version: must be a whole number, not `x`"),
        ("A,,,checkout,a,,,,,", "2: labels: must be `key:value`, not `checkout`"),
        ("A,,,,a,,sting,,,", "2: type: must be one of any, date-time, array"),
        ("A,,,,a,,,maybe,,", "2: required: must be `required` or `optional`, not `maybe`"),
        ("A,,,,a,,number,,,many", "2: enum: `many` is no number"),
        ('A,,,,a,,,,,"[1,"', "2: enum: begins like JSON and is none: `[1,`"),
        ("A,,,,a..b,,,,,", "2: property name: `a..b` is no path of names"),
        ("A,,,,$.b,,,,,", "2: property name: `$.b` is no path of names"),
        ('A,,,,a,,,,,"b"c', "2: no CSV: "),
    ],
)
def test_nonsense_is_told_with_its_line(row: str, mistake: str) -> None:
    (found,) = mistakes(row)
    assert found.startswith(mistake)


def test_every_mistake_is_told() -> None:
    assert mistakes("A,,,,a,,x,,,", "A,,,,b,,string,,,", "A,,,,b,,string,,,", "A,,,,b.c,,,?,,") == [
        "2: type: must be one of any, date-time, array, boolean, integer, null, number, object, string, not `x`",
        "5: required: must be `required` or `optional`, not `?`",
        "4: property name: `b` stands in line 3 already",
    ]
    assert mistakes("A,,,,b,,string,,,", "A,,,,b.c,,,,,") == [
        "2: type: is string, and must be object to have what stands inside it"
    ]


@pytest.mark.parametrize(
    ("header", "mistake"),
    [
        ("Property Name,Type", "1: there is no column `Event Name`"),
        ("Event Name,Type", "1: there is no column `Property Name`"),
        ("Event Name,Property Name,Type,Data Type", "1: columns that mean the same: `Type` and `Data Type`"),
    ],
)
def test_a_header_that_will_not_do(header: str, mistake: str) -> None:
    assert mistakes("a,b,c,d", header=header) == [mistake]


def test_an_empty_table_is_no_plan() -> None:
    assert mistakes() == ["there is no event in it"]
    assert from_csv("", "Shop").mistakes == ["1: there is no column `Event Name`"]


def test_a_pattern_that_cannot_be_read_is_refused_when_the_plan_is() -> None:
    found = from_csv(table("A,,,,a,,string,,(?!a),"), "Shop")
    assert "look-ahead" in _compile_mistakes(found)[0]


def _compile_mistakes(found: Imported) -> list[str]:
    return compile_plan(read_plan(found.plan)[0])[1]


def test_no_more_rows_than_segment_takes() -> None:
    text = table(*[f"A,,,,p{number},,,,," for number in range(100_001)])
    assert read_table(text).mistakes == ["100002: more than 100,000 rows"]


def test_what_is_written_as_a_table_comes_back() -> None:
    names = ["id", "price", "products", "products.$.sku"]
    schema = about(
        required=("id", "products"),
        id={"type": "string", "enum": ["a, b", "c"]},
        price={"type": ["number", "null"]},
        products={
            "type": "array",
            "items": {"type": "object", "required": ["sku"], "properties": {"sku": {}}},
        },
    )
    cells = {
        "id": ("string", "required", '["a, b", "c"]'),
        "price": ("number, null", "optional", ""),
        "products": ("array", "required", ""),
        "products.$.sku": ("any", "required", ""),
    }
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["Event Name", "Property Name", "Property Type", "Required", "Enum"])
    writer.writerows([("A", name, *cells[name]) for name in names])
    found = from_csv(written.getvalue(), "Shop")
    old = read_plan({"rules": {"events": [{"name": "A", "rules": schema}]}})[0]
    assert plan_changes(old, read_plan(found.plan)[0]) == []


# the Public API


def _rule(kind: str, key: str, schema: Json, version: int = 1) -> Json:
    return {
        "type": kind,
        "key": key,
        "version": version,
        "jsonSchema": schema,
        "createdAt": "2026-11-24T08:45:32Z",
    }


RULES = [
    _rule("TRACK", "A", about(required=("a",), a={"type": "string"})),
    _rule("TRACK", "A", about(a={}), 2),
    _rule("PAGE", "Home", about(path={"type": "string"})),
    {**_rule("COMMON", "", {"required": ["context"]})},
    _rule("IDENTIFY", "", about("traits", email={"type": "string"})),
]
ABOUT = {
    "data": {
        "trackingPlan": {
            "id": "tp_2abc",
            "resourceSchemaId": "rs_2abc",
            "name": "Shop",
            "type": "LIVE",
            "slug": "shop",
        }
    }
}


def page(rules: list[Json], total: int = len(RULES)) -> Json:
    return {"data": {"rules": rules, "pagination": {"current": "MA==", "totalEntries": total}}}


def test_the_pages_of_a_plan_are_put_together() -> None:
    found = from_api([page(RULES[:2]), ABOUT, page(RULES[2:])], "file")
    assert (found.mistakes, found.notes) == ([], [])
    back = orjson.loads(orjson.dumps(found.plan))
    assert (back["display_name"], back["name"]) == ("Shop", "workspaces/relay/tracking-plans/rs_2abc")
    old, new = read_plan({"rules": RULES})[0], compiled(back).plan
    assert plan_changes(old, new) == plan_changes(new, old) == []
    assert {(r.kind, r.key, r.version) for r in new.rules} == {(r.kind, r.key, r.version) for r in old.rules}


def test_a_plan_without_a_name_has_that_of_its_file() -> None:
    assert from_api([{"rules": RULES}], "web").plan["display_name"] == "web"


@pytest.mark.parametrize(
    ("pieces", "mistake"),
    [
        ([page(RULES[:2])], "rules: 2 of 5 are here: a page is missing"),
        ([ABOUT], "rules: there are none"),
        ([[]], "a piece is no JSON object of the Public API"),
        ([{"rules": {"events": []}}], "`rules` is an object: this is a plan of the Config API"),
        ([{"rules": [{"type": "TRAK"}]}], "rules[0].type: must be one of"),
        (
            [page(RULES[:3], 6), page(RULES[:3], 6)],
            "rules[3].jsonSchema: `A` has version 1 already: rules[0]",
        ),
    ],
)
def test_what_is_no_whole_plan_is_refused(pieces: list[Any], mistake: str) -> None:
    assert any(said.startswith(mistake) for said in from_api(pieces, "Shop").mistakes)
