"""Everything that docs/tracking-plans.md claims about its examples is so."""

import tomllib
from typing import Any

import msgspec
import orjson
import pytest

from relay.event import Event
from relay.gateway import strict
from relay.plans.controls import Controls
from relay.plans.enforce import Enforcer
from tests.docs.pages import DOCS, blocks, read, section
from tests.plans.plans import compiled, ruled

NAME = "tracking-plans.md"
SOURCE, *_ = [
    tomllib.loads(block.text)["sources"][0] for block in blocks("toml") if block.page == DOCS / NAME
]
PLAN, PUBLIC, DECORATED, REFUSED = [
    orjson.loads(block.text) for block in blocks("json") if block.page == DOCS / NAME
]
EVENT: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "sourceId": "web",
    "context": {"library": {}},
    "properties": {"order_id": "17", "products": [{}], "color": "red"},
}


def test_the_plans_are_plans() -> None:
    assert [rule.kind for rule in compiled(PLAN).plan.rules] == ["TRACK", "COMMON", "IDENTIFY"]
    assert [rule.kind for rule in compiled(PUBLIC).plan.rules] == ["TRACK"]


def test_the_decorated_event_is_what_comes_of_it() -> None:
    ruling = ruled(PLAN, EVENT, **SOURCE["controls"])
    assert ruling is not None
    assert ruling.applied(EVENT)["context"]["protocols"] == DECORATED["context"]["protocols"]


async def test_the_answer_of_a_strict_source_is_what_it_answers() -> None:
    enforcer = Enforcer(compiled(PLAN), Controls())
    data = {**EVENT, "messageId": "m-1", "properties": {}}
    event = Event(0, 0, "web", "m-1", orjson.dumps(data))
    told = await strict.violations_of([event], lambda each: enforcer.breaches(each.data), is_batch=True)
    assert REFUSED["violations"] == told
    assert (REFUSED["code"], REFUSED["message"]) == (strict.CODE, strict.MESSAGE)


def _rows() -> list[list[str]]:
    lines = [line for line in section(read(NAME), "Controls").splitlines() if line.startswith("| `")]
    return [line.strip("| ").split(" | ") for line in lines]


def test_every_control_is_explained_with_its_default() -> None:
    shown = {name.strip("`"): default.strip("`") for name, default, _ in _rows()}
    wanted = {
        f.name: "none" if f.default is None else orjson.dumps(f.default).decode()
        for f in msgspec.structs.fields(Controls)
    }
    assert shown == wanted


@pytest.mark.parametrize(
    "reason", ["unplanned", "schema_violation", "common_schema_violation", "unplanned_and_schema_violation"]
)
def test_every_reason_is_explained(reason: str) -> None:
    assert f"`{reason}`" in section(read(NAME), "Controls")
