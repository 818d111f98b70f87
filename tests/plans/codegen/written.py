"""Plans as code, and strategies for plans that nobody sane would write."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st

from relay.plans.codegen.calls import calls_of
from relay.plans.codegen.python import python
from relay.plans.codegen.typescript import BROWSER_ADDS, typescript
from relay.plans.rules import Plan
from relay.plans.shapes import read_plan
from tests.plans.plans import Json

HERE = Path(__file__).parent
SHOP: Json = json.loads((HERE / "shop.json").read_text("utf-8"))

HOSTILE = (
    *(
        "",
        " ",
        "2FA",
        "class",
        "None",
        "True",
        "constructor",
        "__proto__",
        "__init__",
        "toString",
        "then",
        "match",
    ),
    *(
        "Order Completed",
        "order_completed",
        "orderCompleted",
        "ORDER COMPLETED",
        "Order Completed V2",
        "order/done!",
    ),
    *(
        "Ördér",
        "заказ",
        "注文",
        "ﬁn",
        "İ",
        "ß",
        "🦄",
        "a\u0301",
        "\u0301a",
        "e\u200d",
        "\U0001d49c",
        "²",
        "ª",
        "x" * 300,
    ),
    *(
        "identify",
        "group",
        "page",
        "page home",
        "self",
        "call",
        "tracker",
        "Analytics",
        "datetime",
        "any",
        "Any",
    ),
    *(
        "list",
        "str",
        "int",
        "dict",
        "Record",
        "string",
        "Array",
        "Date",
        "properties",
        "event",
        "user_id",
        "args",
    ),
    *(
        '"',
        "'",
        "\\",
        '"""',
        "\\'''",
        "*/",
        "/*",
        "//",
        "${x}",
        "`",
        "\n",
        "\r",
        "\x00",
        "\u2028",
        "\u202e",
        "\x85",
    ),
    *(
        "# type: ignore",
        "type: int",
        "@ts-nocheck",
        "@ts-expect-error",
        "# mypy: ignore-errors",
        "coding: utf-7",
    ),
    *(
        'ends with "',
        "ends with \\",
        'ends with \\"',
        '""""',
        "*" + "/" * 3,
        "\n# coding: rot13\n",
        "a\n@ts-ignore",
    ),
)
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=12)
KINDS = ("TRACK", "TRACK", "TRACK", "IDENTIFY", "GROUP", "PAGE", "SCREEN", "COMMON")
KEYED = ("TRACK", "PAGE", "SCREEN")
TYPES = ("string", "number", "integer", "boolean", "null", "object", "array")
REFERENCES = ("#/definitions/d", "#/definitions/e", "#")


def random_plan(seed: int) -> Json:
    """A plan that says anything about anything; the same for the same seed."""
    return _Dice(seed).plan()


# not by hypothesis' own strategies: schemas in schemas take them a second each
PLANS = st.builds(random_plan, st.integers(0, 2**32))


class _Dice(Random):
    def plan(self) -> Json:
        rules = {(r["type"], r["key"] if r["type"] in KEYED else "", r["version"]): r for r in self._rules()}
        return {"name": self.choice(HOSTILE), "rules": list(rules.values())}

    def _rules(self) -> list[Json]:
        return [self._rule() for _ in range(self.randrange(6))]

    def _rule(self) -> Json:
        kind = self.choice(KINDS)
        root = "traits" if kind in ("IDENTIFY", "GROUP") else "properties"
        names = self.sample(HOSTILE, self.randrange(6))
        inner = {"properties": {name: self._schema(3) for name in names}}
        inner["required"] = self.sample(HOSTILE, 2)  # type: ignore[assignment]
        return {
            "type": kind,
            "key": self.choice(HOSTILE) or "A",
            "version": self.randrange(1, 4),
            "description": self.choice(HOSTILE),
            "jsonSchema": {
                "properties": {root: inner},
                "definitions": {"d": self._schema(2), "e": self._schema(2)},
            },
        }

    def _schema(self, depth: int) -> Any:
        if not depth or self.random() < 0.1:
            return self.choice((True, False, {}))
        keywords: dict[str, Callable[[], Any]] = {
            "type": lambda: self.choice((self.choice(TYPES), self.sample(TYPES, 2))),
            "description": lambda: self.choice(HOSTILE),
            "format": lambda: self.choice((*HOSTILE, "date-time")),
            "pattern": lambda: self.choice(('^a"""', "\\*/", "b")),
            "enum": lambda: self.sample((*HOSTILE, 1, True, None, 1.5, -3, 10**20), 3),
            "const": lambda: self.choice((*HOSTILE, 0, [], {})),
            "required": lambda: self.sample(HOSTILE, 2),
            "minItems": lambda: self.randrange(3),
            **dict.fromkeys(("properties", "patternProperties", "dependencies"), lambda: self._named(depth)),
            **dict.fromkeys(("allOf", "anyOf", "oneOf"), lambda: self._some(depth)),
            **dict.fromkeys(
                ("items", "additionalItems", "additionalProperties", "not", "if", "then", "else", "contains"),
                lambda: self._schema(depth - 1),
            ),
            "$ref": lambda: self.choice(REFERENCES),
        }
        return {name: keywords[name]() for name in self.sample(list(keywords), self.randrange(1, 6))}

    def _named(self, depth: int) -> Json:
        return {name: self._schema(depth - 1) for name in self.sample(HOSTILE, self.randrange(4))}

    def _some(self, depth: int) -> list[Any]:
        return [self._schema(depth - 1) for _ in range(self.randrange(1, 4))]


def read(raw: Json) -> Plan:
    plan, mistakes = read_plan(raw)
    assert mistakes == []
    return plan


def in_python(raw: Json) -> str:
    return python(calls_of(read(raw)))


def for_browser(raw: Json) -> str:
    return typescript(calls_of(read(raw), BROWSER_ADDS), "browser")


def for_node(raw: Json) -> str:
    return typescript(calls_of(read(raw)), "node")


def hostile_plan() -> Json:
    """Every hostile text as an event, a name, a description, a value and a pattern."""
    listed = {text: _hostile(text) for text in HOSTILE}
    traits = {"type": "object", "properties": listed, "required": list(HOSTILE[:9])}
    return {
        "display_name": '*/ """ \n@ts-nocheck\n# type: ignore coding: utf-7',
        "rules": {
            "events": [
                {"name": text, "description": text, "version": version, "rules": _of_properties(text)}
                for text in HOSTILE
                for version in (1, 2)
                if text
            ],
            "identify": {"properties": {"traits": traits}},
        },
    }


def _hostile(text: str) -> Json:
    below = {
        "type": "object",
        "properties": {text: {"format": text, "enum": [text, None]}},
        "minProperties": 1,
    }
    return {"description": text, "anyOf": [{"type": "array", "items": below}, below]}


def _of_properties(text: str) -> Json:
    inner = {"type": "object", "required": [text], "properties": {text: _hostile(text)}}
    return {"properties": {"properties": inner}}


def many_plans(n: int) -> list[Json]:
    """The same ones every time."""
    return [random_plan(seed) for seed in range(n)]


def refused_lines(text: str) -> list[int]:
    """The lines that say of themselves that they are to be refused."""
    return [number for number, line in enumerate(text.splitlines(), 1) if line.endswith(" refused")]
