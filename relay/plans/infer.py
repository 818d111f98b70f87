"""A tracking plan from events: what a person would write who had looked at all of them.

Feed an `Inference` events as they were admitted, before any plan changed them; then ask it for the plan, in the Config
API's shape, and for notes on what somebody should look at. The events it was made from keep it, but for what the notes
name. What it decides:

- A rule for each name of a track event, `Page Viewed` and `Screen Viewed` for pages and screens, and the traits of
  identify and group. Versions of an event are not told apart.
- `required`: in every event of at least ENOUGH, or in all but one of a thousand, which is noted. Traits are never
  required: libraries send those that are new or have changed.
- `type`: all that were seen; `integer` where no number had a fraction, unless the name says that it measures (`price`).
  `null` is added where it was seen. Of several types one that less than a hundredth of the values have is left out and
  noted: it will be a violation. Nothing but null says nothing.
- `enum`: few texts, each seen often, words in form, under a name that does not promise ever new ones. Nothing private.
- `format`: where every text has it.
- Objects and lists are described within, as deep as MAX_DEPTH. An object whose names look like values is only an object.
- A name that was seen once stays in the plan, since without it the event would be unplanned; it is noted, and so is one
  that looks like another.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from relay.plans.compile import VIEWED
from relay.plans.gathering import MAX_NAMES, Room, Values
from relay.plans.lookalikes import lookalikes
from relay.plans.looks import FORMAT_FROM, choices, is_measure, is_open, is_private
from relay.plans.rules import ROOT
from relay.plans.shapes import MAX_RULES

ENOUGH = 20  # events (objects) from which on a name that all have is required
MISSING = 0.001  # of them may lack it, and it is required all the same
ODD = 0.01  # of the values; a type that fewer have is left out of the plan

MAX_EVENTS = MAX_RULES - 4  # names of events; the others are pages, screens, identify and group
MAX_NAME = 200  # characters of an event's name
MAP_NAMES = 20  # names of an object that may be values, if
MAP_SHARE = 0.1  # an object has no more of them than this, on the average

SCHEMA = "http://json-schema.org/draft-07/schema#"

_TYPES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}

Json = dict[str, Any]


class Note(NamedTuple):
    """Something for a person to look at. `field` is a path as violations have it, with `$` for the items of a list."""

    event: str
    field: str
    said: str

    def __str__(self) -> str:
        return f"{self.event}: {self.field}: {self.said}" if self.field else f"{self.event}: {self.said}"


class Inferred(NamedTuple):
    plan: Json
    notes: list[Note]
    events: int  # that it was made from


class Inference:
    """What was seen of a source's events so far."""

    def __init__(self) -> None:
        self.events = 0
        self._room = Room()
        self._tracks: dict[str, Values] = {}
        self._traits = {kind: Values(self._room) for kind in ("identify", "group")}
        self._others = 0

    def observe(self, data: Json) -> None:
        """Take in one event, as Segment's spec has it. Aliases have nothing to plan."""
        kind = data["type"]
        self.events += 1
        if kind in self._traits:
            self._traits[kind].observe(data.get("traits") or {})
        elif kind == "track":
            self._track(data["event"], data.get("properties") or {})
        elif kind in VIEWED:
            self._track(VIEWED[kind], data.get("properties") or {})

    def _track(self, name: str, properties: Json) -> None:
        seen = self._tracks.get(name)
        if seen is None:
            if len(self._tracks) >= MAX_EVENTS or len(name) > MAX_NAME:
                self._others += 1
                return
            seen = self._tracks[name] = Values(self._room)
        seen.observe(properties)

    def plan(self, name: str, *, examples: bool = False) -> Inferred:
        """The plan. Without `examples` no value of an event stands in it but those of enums."""
        write = _Writing(examples=examples)
        rules: Json = {"events": [write.event(event, seen) for event, seen in sorted(self._tracks.items())]}
        for kind, seen in self._traits.items():
            if seen.count:
                rules[kind] = write.rule(kind, kind, seen)
        notes = [*self._notes(), *write.notes]
        return Inferred({"display_name": name, "rules": rules}, notes, self.events)

    def _notes(self) -> Iterator[Note]:
        counts = {name: seen.count for name, seen in self._tracks.items()}
        if self._others:
            yield Note(
                "(others)",
                "",
                f"{self._others:,} events are not in the plan: it has {len(counts):,} names already, or the name is "
                f"longer than {MAX_NAME} characters",
            )
        alike = dict(lookalikes(counts))
        for name, other in alike.items():
            yield Note(
                name, "", f"seen {times(counts[name])}, looks like `{other}`, seen {times(counts[other])}"
            )
        for name, count in sorted(counts.items()):
            if count == 1 and name not in alike and self.events >= ENOUGH:
                yield Note(name, "", "seen once: is it meant?")


class _Writing:
    """One plan being written down, with notes on the way."""

    def __init__(self, *, examples: bool) -> None:
        self.notes: list[Note] = []
        self._examples = examples
        self._event = ""

    def event(self, name: str, seen: Values) -> Json:
        description = f"Seen {times(seen.count)}."
        return {
            "name": name,
            "version": 1,
            "description": description,
            "rules": self.rule(name, "track", seen),
        }

    def rule(self, event: str, kind: str, seen: Values) -> Json:
        self._event = event
        root = ROOT[kind]
        inner = {"type": "object", **self._object(seen, root, has_required=root == "properties")}
        sections: Json = {"context": {}, "traits": {}, "properties": {}}
        return {"$schema": SCHEMA, "type": "object", "labels": {}, "properties": {**sections, root: inner}}

    def _note(self, field: str, said: str) -> None:
        self.notes.append(Note(self._event, field, said))

    def _schema(self, values: Values, name: str, field: str) -> Json:
        types = self._types(values, name, field)
        schema: Json = {"type": types[0] if len(types) == 1 else types} if types else {}
        if "string" in types:
            schema |= _texts(values, name, types)
        if "object" in types:
            schema |= self._object(values, field)
        if "array" in types and values.items is not None and values.items.types:
            schema["items"] = self._schema(values.items, name, f"{field}.$")
        return schema

    def _types(self, values: Values, name: str, field: str) -> list[str]:
        """The types for the plan, most frequent first, null last."""
        counts: dict[str, int] = {}
        is_number = float in values.types or is_measure(name)
        for kind, count in values.types.items():
            said = "number" if kind is int and is_number else _TYPES[kind]
            counts[said] = counts.get(said, 0) + count
        nulls = counts.pop("null", 0)
        total = sum(counts.values())
        kept = [said for said, count in counts.items() if count >= total * ODD]
        for said in counts.keys() - set(kept):
            self._note(field, f"{said} in {counts[said]:,} of {total:,} values: not in the plan, a violation")
        kept.sort(key=lambda said: (-counts[said], said))
        return [*kept, "null"] if nulls and kept else kept

    def _object(self, values: Values, field: str, *, has_required: bool = True) -> Json:
        """What is inside objects: empty when their names look like values."""
        is_root = "." not in field
        objects = values.types.get(dict, 0)
        if not is_root and _is_map(values, objects):
            self._note(
                field, f"holds {len(values.properties):,} different names or more: they are not in the plan"
            )
            return {}
        if values.others:
            said = f"{values.others:,} times a name that is not in the plan: it has the {MAX_NAMES} that came first, "
            self._note(field, said + "and none that is an address or very long")
        self._note_names(values, field, objects)
        properties = {
            name: self._property(inner, name, f"{field}.{name}", objects, "events" if is_root else "objects")
            for name, inner in sorted(values.properties.items())
        }
        required = list(self._required(values, field, objects)) if has_required else []
        inside: Json = {"required": required} if required else {}
        return inside | ({"properties": properties} if properties else {})

    def _property(self, values: Values, name: str, field: str, objects: int, things: str) -> Json:
        said = f"Seen in {_share(values.count, objects, things)}"
        if values.types.keys() == {type(None)}:
            said += ", always null"
        shown = self._examples and not is_private(name) and not field.startswith("traits.")
        examples = ", ".join(map(_quoted, values.examples)) if shown else ""
        schema = self._schema(values, name, field)
        return {"description": f"{said}; such as {examples}." if examples else f"{said}.", **schema}

    def _required(self, values: Values, field: str, objects: int) -> Iterator[str]:
        if objects < ENOUGH:
            return
        for name, inner in sorted(values.properties.items()):
            missing = objects - inner.count
            if missing <= objects * MISSING:
                yield name
                if missing:
                    self._note(
                        f"{field}.{name}", f"missing {times(missing)} of {objects:,}: required all the same"
                    )

    def _note_names(self, values: Values, field: str, objects: int) -> None:
        counts = {name: inner.count for name, inner in values.properties.items()}
        alike = dict(lookalikes(counts))
        for name, other in alike.items():
            said = f"seen {times(counts[name])}, looks like `{other}`, seen {times(counts[other])}"
            self._note(f"{field}.{name}", said)
        for name, count in sorted(counts.items()):
            if count == 1 and objects >= 1 / ODD and name not in alike:
                self._note(f"{field}.{name}", f"seen once in {objects:,}: is it meant?")


def _texts(values: Values, name: str, types: list[str]) -> Json:
    """`enum` and `format` of the texts."""
    if set(types) <= {"string", "null"} and not is_open(name) and (found := choices(values.texts)):
        return {"enum": [*found, None] if "null" in types else found}
    if values.types[str] >= FORMAT_FROM and values.formats:
        return {"format": values.formats[0][0]}
    return {}


def _is_map(values: Values, objects: int) -> bool:
    """Whether the names of these objects are values: ids, addresses, too many."""
    names = values.properties
    if values.others:
        return True
    if len(names) > 2 and all(name.isdigit() for name in names):  # noqa: PLR2004  {"1": …, "2": …, "3": …}
        return True
    each = sum([inner.count for inner in names.values()])
    return len(names) >= MAP_NAMES and each <= objects * len(names) * MAP_SHARE


def times(count: int) -> str:
    """`once`, `12 times`."""
    return "once" if count == 1 else f"{count:,} times"


def _share(count: int, total: int, things: str) -> str:
    """`all 12 events`, `98.2 % of 1,250 events`."""
    if count == total:
        return f"all {total:,} {things}" if total > 1 else f"the one {things.removesuffix('s')} there was"
    percent = 100 * count / total
    shown = f"{percent:.1f}" if 0.05 <= percent < 99.95 else f"{percent:.3f}"  # noqa: PLR2004  no 0.0 and 100.0
    return f"{shown} % of {total:,} {things}"


def _quoted(value: Any) -> str:
    return f'"{value}"' if type(value) is str else str(value)
