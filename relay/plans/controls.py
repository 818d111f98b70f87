"""Schema controls: what becomes of a source's events that its plan does not know, or that break its rules.

The names are those of Segment's Config API; everything is allowed unless said otherwise.
"""

from typing import Literal, NamedTuple

import msgspec

OnProperties = Literal["ALLOW", "OMIT_PROPERTIES", "BLOCK"]
OnTraits = Literal["ALLOW", "OMIT_TRAITS", "BLOCK"]


class Controls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sources.controls]`."""

    allow_unplanned_track_events: bool = True  # false: blocked, `unplanned`
    allow_unplanned_track_event_properties: bool = True  # false: omitted
    allow_track_event_on_violations: bool = True  # false: blocked, `schema_violation`
    allow_track_properties_on_violations: bool = True  # false: those that offend are omitted
    allow_unplanned_identify_traits: bool = True
    allow_identify_traits_on_violations: bool = True
    allow_unplanned_group_traits: bool = True
    allow_group_traits_on_violations: bool = True
    common_track_event_on_violations: OnProperties = "ALLOW"  # of the plan's `global` schema
    common_identify_event_on_violations: OnTraits = "ALLOW"
    common_group_event_on_violations: OnTraits = "ALLOW"
    forwarding_violations_to: str | None = None  # a source: each violation is an event of it
    forwarding_blocked_events_to: str | None = None  # a source: what is blocked is an event of it


class Policy(NamedTuple):
    """What the controls say about one type of call. The standard ones act first, then those of the common schema."""

    blocks_unplanned: bool = False
    omits_unplanned: bool = False
    blocks_violations: bool = False
    omits_violations: bool = False
    blocks_common: bool = False
    omits_common: bool = False


def policies(controls: Controls) -> dict[str, Policy]:
    """By type of call. Pages, screens and aliases are always let through."""
    track, identify, group = (
        controls.common_track_event_on_violations,
        controls.common_identify_event_on_violations,
        controls.common_group_event_on_violations,
    )
    return {
        "track": Policy(
            blocks_unplanned=not controls.allow_unplanned_track_events,
            omits_unplanned=not controls.allow_unplanned_track_event_properties,
            blocks_violations=not controls.allow_track_event_on_violations,
            omits_violations=not controls.allow_track_properties_on_violations,
            blocks_common=track == "BLOCK",
            omits_common=track == "OMIT_PROPERTIES",
        ),
        "identify": Policy(
            omits_unplanned=not controls.allow_unplanned_identify_traits,
            omits_violations=not controls.allow_identify_traits_on_violations,
            blocks_common=identify == "BLOCK",
            omits_common=identify == "OMIT_TRAITS",
        ),
        "group": Policy(
            omits_unplanned=not controls.allow_unplanned_group_traits,
            omits_violations=not controls.allow_group_traits_on_violations,
            blocks_common=group == "BLOCK",
            omits_common=group == "OMIT_TRAITS",
        ),
        "page": Policy(),
        "screen": Policy(),
        "alias": Policy(),
    }
