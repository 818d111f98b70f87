"""What an action's fields make of a mapped payload: emptied of nothings, coerced, checked; or why it is refused.

Compiled once for each action. In order, as Segment's mappings were made for: nulls go where a field may not be null,
empty texts where the field is no text (and at the top everywhere); a scalar becomes a list where one is
wanted; types are coerced; what the action has no field for goes; what is missing or wrong refuses the event,
every field by its name and none by its value.
"""

from collections.abc import Callable, Iterable
from typing import Any

from relay.destinations.actions.coerce import BAD, COERCE, nullable
from relay.destinations.actions.fields import Condition, Field, Fields, When
from relay.destinations.actions.formats import FORMATS
from relay.destinations.errors import Refused

Errors = dict[str, str]  # what is wrong, by field
Check = Callable[[Any, str, Errors], Any]
Payload = dict[str, Any]


class Fitting:
    """The fields of an action, compiled. `fit` does it all; its parts are for whoever goes field by field."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.checks = {name: _field(field) for name, field in fields.items()}
        self.as_it_is = {
            name: kind for name, field in fields.items() if (kind := _as_it_is(field)) is not None
        }
        self.required = tuple(name for name, field in fields.items() if field.required is True)
        self._conditions = list(_conditions(fields))
        self._check = _record(fields, more=False)

    def fit(self, payload: Payload, *, keeps_empty: bool = False) -> Payload:
        """The payload that is sent. Raises `Refused` naming the fields.

        `keeps_empty`: empty texts at the top stay, which Segment does in batches of its own.
        """
        errors: Errors = {}
        if not keeps_empty and "" in payload.values():
            payload = {name: value for name, value in payload.items() if value != ""}
        made: Payload = self._check(payload, "", errors)
        return self._agreed(made, errors)

    def finish(self, made: Payload, errors: Errors) -> Payload:
        """The payload, once each field by itself is right. Raises `Refused` otherwise."""
        for name in self.required:
            if name not in made:
                errors[name] = "is missing"
        return self._agreed(made, errors)

    def _agreed(self, made: Payload, errors: Errors) -> Payload:
        for condition in self._conditions:
            condition(made, errors)
        if errors:
            named = "; ".join(f"{field} {what}" for field, what in errors.items())
            raise Refused(named, fields=tuple(errors))
        return made


def _record(fields: Fields, *, more: bool) -> Check:
    checks = {name: _field(field) for name, field in fields.items()}
    empties = {name: _empties(field) for name, field in fields.items()}
    as_it_is = {name: kind for name, field in fields.items() if (kind := _as_it_is(field)) is not None}
    required = tuple(name for name, field in fields.items() if field.required is True)

    def check(value: Any, at: str, errors: Errors) -> Any:
        made: Payload = {}
        for name, item in value.items():
            if type(item) is as_it_is.get(name):  # nearly all
                made[name] = item
                continue
            known = checks.get(name)
            if known is None:
                if more:
                    made[name] = item
            elif not ((item is None or item == "") and item in empties[name]):
                made[name] = known(item, name if not at else f"{at}.{name}", errors)
        for name in required:
            if name not in made:
                errors[name if not at else f"{at}.{name}"] = "is missing"
        return made

    return check


def _as_it_is(field: Field) -> type | None:
    """The type of values that the field takes as they are, whatever they are."""
    if field.multiple or field.properties is not None or any(_tests(field)):
        return None
    return {"string": str, "object": dict, "boolean": bool}.get(field.type)


def _empties(field: Field) -> tuple[Any, ...]:
    """Which nothings are as good as missing for this field."""
    is_text = field.type in ("string", "datetime") and not field.multiple
    return (() if field.allow_null else (None,)) + (() if is_text else ("",))


def _field(field: Field) -> Check:
    return _list(field) if field.multiple else _single(field)


def _list(field: Field) -> Check:
    item = _single(field, is_item=True)
    gone = (None,) if field.type in ("string", "datetime") else (None, "")

    def check(value: Any, at: str, errors: Errors) -> Any:
        items = value if type(value) is list else [value]
        kept = [one for one in items if not ((one is None or one == "") and one in gone)]
        return [item(one, f"{at}[{index}]", errors) for index, one in enumerate(kept)]

    return check


def _single(field: Field, *, is_item: bool = False) -> Check:
    coerce = nullable(COERCE[field.type]) if field.allow_null else COERCE[field.type]
    if field.type == "object" and field.properties is not None:
        return _object(field, _item_record(field) if is_item else _record(field.properties, more=field.more))
    complaint = f"must be {_CALLED[field.type]}"
    tests = [*_tests(field)]

    def check(value: Any, at: str, errors: Errors) -> Any:
        made = coerce(value)
        if made is BAD:
            errors[at] = complaint
            return value
        for test, sentence in tests:
            if made is not None and not test(made):
                errors[at] = sentence
        return made

    return check


def _item_record(field: Field) -> Check:
    """An object in a list keeps its nulls: they are coerced like any other value."""
    properties = field.properties or {}
    checks = {name: _field(one) for name, one in properties.items()}
    required = tuple(name for name, one in properties.items() if one.required is True)

    def check(value: Any, at: str, errors: Errors) -> Any:
        made = {
            name: checks[name](item, f"{at}.{name}", errors) if name in checks else item
            for name, item in value.items()
            if name in checks or field.more
        }
        for name in required:
            if name not in made:
                errors[f"{at}.{name}"] = "is missing"
        return made

    return check


def _object(field: Field, inside: Check) -> Check:
    coerce = nullable(COERCE["object"]) if field.allow_null else COERCE["object"]

    def check(value: Any, at: str, errors: Errors) -> Any:
        made = coerce(value)
        if made is BAD:
            errors[at] = "must be an object"
            return value
        return None if made is None else inside(made, at, errors)

    return check


_CALLED = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "datetime": "a date",
    "object": "an object",
}


def _tests(field: Field) -> Iterable[tuple[Callable[[Any], bool], str]]:
    if field.choices:
        choices = ", ".join(str(choice) for choice in field.choices)
        yield lambda value: value in field.choices, f"must be one of {choices}"
    name = "date-like" if field.type == "datetime" else field.format
    if name in FORMATS:
        matches = FORMATS[name]
        yield (
            lambda value: not isinstance(value, str) or matches(value),
            f"must be a valid {_FORMAT_CALLED[name]}",
        )
    size = len if field.type == "string" else lambda value: value
    unit = " characters" if field.type == "string" else ""
    if field.minimum:
        least = field.minimum
        yield lambda value: size(value) >= least, f"must be at least {least:g}{unit}"
    if field.maximum:
        most = field.maximum
        yield lambda value: size(value) <= most, f"must be at most {most:g}{unit}"


_FORMAT_CALLED = {"email": "email address", "uri": "URL", "date-like": "date", "date-time": "moment"}


def _conditions(fields: Fields) -> Iterable[Callable[[Payload, Errors], None]]:
    for name, field in fields.items():
        if isinstance(field.required, When):
            yield _condition(field.required, name)
        for inner, one in (field.properties or {}).items():
            if isinstance(one.required, When):
                yield _condition(one.required, f"{name}.{inner}")


def _condition(when: When, name: str) -> Callable[[Payload, Errors], None]:
    tests = [_test(condition, is_alone=len(when.conditions) == 1) for condition in when.conditions]
    holds = any if when.is_any else all

    def check(payload: Payload, errors: Errors) -> None:
        if holds(test(payload) for test in tests) and not _has(payload, name):
            errors[name] = "is missing"

    return check


def _test(condition: Condition, *, is_alone: bool) -> Callable[[Payload], bool]:
    at, wanted, is_not = condition.field, condition.value, condition.is_not
    if (
        wanted is None
    ):  # whether it is there at all; null counts as missing only where it is the one condition
        return lambda payload: (_has(payload, at) and not (is_alone and _get(payload, at) is None)) is is_not
    return lambda payload: _has(payload, at) and (_get(payload, at) == wanted) is not is_not


def _has(payload: Payload, at: str) -> bool:
    outer, _, inner = at.partition(".")
    if not inner:
        return outer in payload
    value = payload.get(outer)
    return isinstance(value, dict) and inner in value


def _get(payload: Payload, at: str) -> Any:
    outer, _, inner = at.partition(".")
    value = payload.get(outer)
    return value.get(inner) if inner and isinstance(value, dict) else value
