"""`[sources.segment]`: what its keys say, by themselves and with the destinations."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from relay.browser.proxy_config import SegmentConfig, key_problem
from relay.config_checks import is_origin
from relay.config_errors import Problems, Table
from relay.destinations.base import Destination
from relay.destinations.segment import Segment


def check_segment(sources: Iterable[Table], problems: Problems) -> None:
    """Complain of keys that cannot be Segment's, and of CDNs that are none, or several."""
    first: tuple[str, int] | None = None
    for source in sources:
        segment: SegmentConfig | None = source.values.get("segment")
        if segment is None:
            continue
        place = (*source.place, "segment")
        _check_key(source, segment, problems)
        if not is_origin(segment.cdn):
            problems.add(
                (*place, "cdn"), "`cdn` must be scheme, host and port only, such as https://cdn.segment.com"
            )
        first = first or (segment.cdn, problems.line((*place, "cdn")))
        if segment.cdn != first[0]:
            problems.add((*place, "cdn"), f"`cdn` must be the same for all sources, as at line {first[1]}")


def _check_key(source: Table, segment: SegmentConfig, problems: Problems) -> None:
    place = (*source.place, "segment")
    if segment.write_key is not None:
        if wrong := key_problem(segment.write_key):
            problems.add((*place, "write_key"), f"`write_key` {wrong}")
    elif (own := _first_key(source)) and key_problem(own):
        problems.add(place, "missing key `write_key`: the source's own is none of Segment's")


def _first_key(source: Table) -> str | None:
    """That of the source, unless there is a mistake in its keys."""
    one, others = source.values.get("write_key"), source.values.get("write_keys")
    return one or (others[0] if others else None)


def segment_notes(
    sources: Iterable[Table],
    destinations: Iterable[Table],
    settings: Mapping[str, Destination],
    path: Path,
    problems: Problems,
) -> Iterator[str]:
    """Of sources whose browsers go on with Segment while their events do not go there, or as another source's."""
    forwarding = [
        (each.values, one.write_key)
        for each in destinations
        if each.values["enabled"] and isinstance(one := settings[each.values["name"]], Segment)
        if each.values["type"] == "segment"
    ]
    for source in sources:
        values, segment = source.values, source.values["segment"]
        if segment is None:
            continue
        where = (
            f"{path}:{problems.line((*source.place, 'segment'))}: `[sources.segment]` of `{values['name']}`:"
        )
        takers = [
            (to["name"], key)
            for to, key in forwarding
            if to["sources"] is None or values["name"] in to["sources"]
        ]
        if not takers:
            yield f"{where} no destination of type `segment` takes its events, so Segment gets none"
        for name, key in takers:
            if key != (segment.write_key or _first_key(source)):
                yield f"{where} `{name}` sends its events to another write key than its settings come from"
