"""What changed between two versions."""

from typing import Any

from relay.destinations.bridge.catalogue import Bridged, Catalogue
from relay.destinations.bridge.compare import Change, compare


def one(type_: str, settings: tuple[str, ...] = (), **actions: tuple[str, ...]) -> Bridged:
    made: list[dict[str, Any]] = [
        {"name": name, "fields": {key: {} for key in fields}} for name, fields in actions.items()
    ]
    declared: dict[str, Any] = {key: {} for key in settings}
    return Bridged(
        type=type_, slug=type_, name=type_, mode="cloud", scheme="custom", settings=declared, actions=made
    )


def catalogue(version: str, *destinations: Bridged) -> Catalogue:
    return Catalogue(version, list(destinations))


def test_whole_destinations_come_and_go() -> None:
    found = compare(catalogue("1", one("a"), one("b")), catalogue("2", one("b"), one("c")))
    assert (found.added, found.removed, found.changed) == (["c"], ["a"], [])


def test_settings_actions_and_fields_come_and_go() -> None:
    old = one("a", ("key",), track=("name", "time"), gone=("x",))
    new = one("a", ("key", "region"), track=("name", "value"), new=("y",))
    found = compare(catalogue("1", old), catalogue("2", new))
    assert found.changed == [Change("a", ["new", "settings.region", "track.value"], ["gone", "track.time"])]


def test_what_is_the_same_is_not_told() -> None:
    same = one("a", ("key",), track=("name",))
    assert compare(catalogue("1", same), catalogue("2", same)).changed == []
