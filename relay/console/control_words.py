"""Schema controls for people: as sentences of what becomes of an event, and as the fields of a form."""

from collections.abc import Mapping
from typing import Any

import msgspec

from relay.plans.controls import Controls

_TRACKS = {True: "pass", False: "are blocked"}
_NAMES = {True: "stay", False: "are omitted"}
_OF_TRACKS = {
    "ALLOW": "pass",
    "OMIT_PROPERTIES": "lose the properties that break it",
    "BLOCK": "are blocked",
}
_OF_TRAITS = {"ALLOW": "pass", "OMIT_TRAITS": "lose the traits that break it", "BLOCK": "are blocked"}

# each control as a sentence: what it is about, and what becomes of that by its value; what comes first is the default
_SENTENCES: dict[str, tuple[str, dict[Any, str]]] = {
    "allow_unplanned_track_events": ("Track events that the plan does not name", _TRACKS),
    "allow_unplanned_track_event_properties": (
        "Properties of track events that the plan does not list",
        _NAMES,
    ),
    "allow_track_event_on_violations": ("Track events that break their rule", _TRACKS),
    "allow_track_properties_on_violations": ("Properties of track events that break the rule", _NAMES),
    "allow_unplanned_identify_traits": ("Traits of people that the plan does not list", _NAMES),
    "allow_identify_traits_on_violations": ("Traits of people that break the rule", _NAMES),
    "allow_unplanned_group_traits": ("Traits of groups that the plan does not list", _NAMES),
    "allow_group_traits_on_violations": ("Traits of groups that break the rule", _NAMES),
    "common_track_event_on_violations": ("Track events that break a common rule", _OF_TRACKS),
    "common_identify_event_on_violations": ("Identify calls that break a common rule", _OF_TRAITS),
    "common_group_event_on_violations": ("Group calls that break a common rule", _OF_TRAITS),
}
_FORWARDED = {
    "forwarding_violations_to": "Violations become events of",
    "forwarding_blocked_events_to": "Blocked events become events of",
}


class Field(msgspec.Struct, frozen=True):
    """A control in a form. `options`: values as forms have them, each with its words."""

    name: str
    label: str
    value: str
    options: list[tuple[str, str]]


def control_sentences(controls: Controls, *, is_strict: bool = False) -> list[str]:
    """What becomes of a source's events that break the plan."""
    said = ["Requests with an event that breaks the plan are refused as a whole."] if is_strict else []
    for name, (subject, becomes) in _SENTENCES.items():
        if (value := getattr(controls, name)) != next(iter(becomes)):
            said.append(f"{subject} {becomes[value]}.")
    for name, subject in _FORWARDED.items():
        if (target := getattr(controls, name)) is not None:
            said.append(f"{subject} the source {target}.")
    return said or ["Everything is let through; what breaks the plan is noted."]


def control_fields(controls: Controls, others: list[str]) -> list[Field]:
    """All controls. `others`: the sources that something can be forwarded to."""
    fields = [
        Field(
            name, subject, _text(getattr(controls, name)), [(_text(v), said) for v, said in becomes.items()]
        )
        for name, (subject, becomes) in _SENTENCES.items()
    ]
    choices = [("", "no source"), *((name, name) for name in others)]
    return fields + [
        Field(name, subject, _text(getattr(controls, name)), choices) for name, subject in _FORWARDED.items()
    ]


def control_values(given: Mapping[str, str]) -> dict[str, Any]:
    """What a form with these fields says, as an API has it: None is the default."""
    said: dict[str, Any] = {}
    for name in Controls.__struct_fields__:
        if name in given:
            value: Any = {"true": True, "false": False, "": None}.get(given[name], given[name])
            said[name] = None if value == getattr(_DEFAULT, name) else value
    return said


_DEFAULT = Controls()


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
