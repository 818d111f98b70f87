"""What a schema can cost: a plan may be so written that an event of 32 KB takes a minute, or more stack than there is.

The validator goes through every sub-schema that is about a value, so references that meet again multiply, level by
level; it compares with one entry of an `enum` after the other, and items that must be unique with one another, where
these are numbers beyond a double. Nothing stops it once it has begun, and the event loop stands still meanwhile. So a
rule is weighed once, when it is compiled: nearly all are so light that no event can be too much. With the others an
event of many values is counted through before it is validated, in units of what one sub-schema takes of one value.
"""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any, NamedTuple

from relay.plans.schemas import Schema, referred

MOST_VALUES = 16_384  # of an event of 32 KB
MOST_UNITS = 2_000_000  # for one event, some 25 ns each: 50 ms
MOST_STEPS = 100_000  # of counting, which takes as long
MOST_ERRORS = 3000  # of an event whose violations are all looked for: 50 ms
MOST_CHAIN = 200  # sub-schemas inside one another, references followed: each takes some of the stack
MOST_UNIQUE = 150  # values among which doubtful numbers are compared with one another in no time

_SAME_VALUE_LISTS = ("allOf", "anyOf", "oneOf")
_SAME_VALUE = ("not", "if", "then", "else")
_FLOAT_UNITS = 100  # to compare with a float
_LIST_UNITS = 10  # to compare with a list or an object
_PART_UNITS = 1000  # to divide by a fraction, exactly
_EXACT = 2**53  # numbers beyond are compared digit by digit


class TooHeavy(Exception):
    """A schema that no event could be held against; why is a sentence."""


class Weight(NamedTuple):
    """`most_values`: an event that has no more is cheap. `is_recursive`: references lead back to where they are."""

    most_values: int
    is_recursive: bool


def weight_of(schema: Schema) -> Weight:
    """The weight of a prepared schema. Raises TooHeavy."""
    weighing = _Weighing(schema)
    runs = [weighing.run()]
    if weighing.is_recursive:
        runs += [
            weighing.run() for _ in range(3)
        ]  # what leads back weighs in each what it weighed in the last
    most = MOST_UNITS // max(runs[-1]) if runs[-1] == runs[-2:][0] else 0
    if weighing.has_unique:
        most = min(most, MOST_UNIQUE)
    return Weight(most, weighing.is_recursive)


class _Weighing:
    """One schema being weighed: of every part the most units for one value, there and anywhere below."""

    def __init__(self, whole: Schema) -> None:
        self._whole = whole
        self._before: dict[int, tuple[int, int]] = {}
        self._made: dict[int, tuple[int, int]] = {}
        self._open: dict[
            int, bool
        ] = {}  # parts that are being weighed: whether it is still about the same value
        self.is_recursive = False
        self.has_unique = False

    def run(self) -> tuple[int, int]:
        self._before, self._made = self._made, {}
        return self._weigh(self._whole, is_same_value=True)

    def _weigh(self, part: Any, *, is_same_value: bool) -> tuple[int, int]:
        if not isinstance(part, dict):
            return 1, 0
        key = id(part)
        if key in self._open:
            return self._again(key, is_same_value=is_same_value)
        if key in self._made:
            return self._made[key]
        if len(self._open) == MOST_CHAIN:
            raise TooHeavy(f"references lead through more than {MOST_CHAIN} schemas, one inside the other")
        self._open[key] = is_same_value
        here, below = self._sum(part)
        del self._open[key]
        if here > MOST_UNITS:
            raise TooHeavy("references meet again so often that no event could be held against it")
        self._made[key] = here, below
        return here, below

    def _again(self, key: int, *, is_same_value: bool) -> tuple[int, int]:
        self.is_recursive = True
        since = list(self._open)
        if is_same_value and all(self._open[each] for each in since[since.index(key) + 1 :]):
            raise TooHeavy("refers to itself about the same value, without end")
        return self._before.get(key, (1, 0))

    def _sum(self, part: Schema) -> tuple[int, int]:
        if isinstance(part.get("$ref"), str):  # in draft 7 nothing beside it counts
            here, below = self._weigh(referred(self._whole, part["$ref"]), is_same_value=True)
            return here + 1, below
        self.has_unique = self.has_unique or part.get("uniqueItems") is True
        same = [self._weigh(one, is_same_value=True) for one in _same_value(part)]
        inside = [max(self._weigh(one, is_same_value=False)) for one in _one_of_which(part)]
        besides = [max(self._weigh(one, is_same_value=False)) for one in _besides(part)]
        here = _units(part) + sum(one for one, _ in same)
        return here, max(inside, default=0) + sum(besides) + sum(one for _, one in same)


def _units(part: Schema) -> int:
    """What the keywords of one sub-schema take of one value."""
    said = len(part) // 4 + 1
    said += sum(_compared(one) for one in _list(part, "enum")) // 4
    said += (len(_list(part, "required")) + len(_dict(part, "patternProperties"))) // 4
    divisor = part.get("multipleOf")
    return said + (_PART_UNITS if isinstance(divisor, float) and not divisor.is_integer() else 0)


def _compared(value: Any) -> int:
    if isinstance(value, float):
        return 4 * _FLOAT_UNITS
    return 4 * _LIST_UNITS if isinstance(value, list | dict) else 0


def _same_value(part: Schema) -> Iterator[Any]:
    """The sub-schemas about the value that the schema itself is about."""
    for key in _SAME_VALUE_LISTS:
        yield from _list(part, key)
    for key in _SAME_VALUE:
        if key in part:
            yield part[key]
    for one in _dict(part, "dependencies").values():
        if isinstance(one, dict):
            yield one


def _one_of_which(part: Schema) -> Iterator[Any]:
    """Those about what is inside a value, of which one at most is about the same thing."""
    yield from _dict(part, "properties").values()
    yield from _list(part, "items")
    for key in ("items", "additionalProperties", "propertyNames", "additionalItems"):
        if isinstance(part.get(key), dict):
            yield part[key]


def _besides(part: Schema) -> Iterator[Any]:
    """Those that are about it besides."""
    yield from _dict(part, "patternProperties").values()
    if "contains" in part:
        yield part["contains"]


def _dict(part: Schema, key: str) -> dict[str, Any]:
    found = part.get(key)
    return found if isinstance(found, dict) else {}


def _list(part: Schema, key: str) -> list[Any]:
    found = part.get(key)
    return found if isinstance(found, list) else []


def is_too_much(whole: Schema, message: Any) -> bool:
    """Whether to hold `message` against the schema may take more than MOST_UNITS."""

    def cost(part: Schema, value: Any) -> int:
        return _units(part) + (_of_comparing(value) if "uniqueItems" in part and type(value) is list else 0)

    return _is_more(whole, message, MOST_UNITS, MOST_STEPS, cost)


def has_many_errors(whole: Schema, message: Any) -> bool:
    """Whether to make all errors there may be would take longer than MOST_ERRORS usual ones do.

    An error comes with a copy of the value and of what its keyword says.
    """
    sizes = _sizes(message)

    def cost(part: Schema, value: Any) -> int:
        size = sizes.get(id(value), 0)
        each = 25 + size
        many = len(value) if "propertyNames" in part and type(value) is dict else 0
        said = [
            *_list(part, "enum"),
            part.get("const"),
        ]  # to look at these is paid for: it brings the end nearer
        options = _sizes(said)[id(said)] // 12 if len(said) > 1 or said[0] is not None else 0
        return each * (1 + many + len(_list(part, "required"))) + options

    return _is_more(whole, message, 25 * MOST_ERRORS, MOST_ERRORS, cost)


def _sizes(message: Any) -> dict[int, int]:
    """How many values there are in each list and object of `message`."""
    order: list[Any] = [[message]]
    for value in order:
        inside = value.values() if type(value) is dict else value
        order += [each for each in inside if type(each) is dict or type(each) is list]
    sizes: dict[int, int] = {}
    for value in reversed(order):
        inside = value.values() if type(value) is dict else value
        sizes[id(value)] = len(value) + sum([sizes.get(id(each), 0) for each in inside])
    return sizes


def _is_more(
    whole: Schema, message: Any, most: int, most_steps: int, cost: Callable[[Schema, Any], int]
) -> bool:
    """Go through every pair of a sub-schema and a value that the validator may come to."""
    waiting: list[tuple[Any, Any]] = [(whole, message)]
    while waiting:
        part, value = waiting.pop()
        if not isinstance(part, dict):
            continue
        most_steps -= 1
        most -= cost(part, value)
        if most < 0 or most_steps < len(waiting):
            return True
        if isinstance(part.get("$ref"), str):
            waiting.append((referred(whole, part["$ref"]), value))
            continue
        waiting += [(one, value) for one in _same_value(part) if isinstance(one, dict)]
        waiting += [pair for pair in _below(part, value) if isinstance(pair[0], dict)]
    return False


def _below(part: Schema, value: Any) -> Iterator[tuple[Any, Any]]:
    if type(value) is dict:
        properties, others = _dict(part, "properties"), part.get("additionalProperties")
        patterns, names = _dict(part, "patternProperties").values(), part.get("propertyNames")
        for name, inner in value.items():
            yield properties.get(name, others), inner
            yield from ((one, inner) for one in patterns)
            yield names, name
    elif type(value) is list:
        items, others = part.get("items"), part.get("additionalItems")
        each = chain(items, repeat(others)) if isinstance(items, list) else repeat(items)
        yield from zip(each, value, strict=False)
        if "contains" in part:
            yield from ((part["contains"], inner) for inner in value)


def _of_comparing(items: list[Any]) -> int:
    """Units for the items of a list, if it has to be compared each with each."""
    waiting, doubtful = list(items), False
    while waiting and not doubtful:
        value = waiting.pop()
        if type(value) is dict:
            waiting += value.values()
        elif type(value) is list:
            waiting += value
        else:
            doubtful = type(value) is int and abs(value) > _EXACT
    return 20 * len(items) ** 2 if doubtful else 0
