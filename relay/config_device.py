"""What `mode = "device"` asks of a destination in relay.toml.

The question was what becomes of a filter that the browser cannot keep to. Segment gives those to the browser that it
understands; what it makes of the others is a surprise. Here those are refused. To filter so what servers and phones send, or
to map it, there is a second destination of the same type in cloud mode, with those `sources`.
"""

from collections.abc import Callable, Iterator
from functools import partial

from relay.config_errors import Problems, Table
from relay.config_lines import Place
from relay.destinations.device import DEVICE_ONLY, NEEDED, PUBLIC
from relay.destinations.fql import FqlError, compile_filter
from relay.destinations.fql.rules import CannotAct, check, keeping, rule_of
from relay.errors import RelayError

# what holds on the server only
_NOT_THERE = ("transformations", "subscriptions")


def check_devices(destinations: list[Table], problems: Problems) -> None:
    """Add what is wrong with the `mode` of each destination."""
    taken: list[tuple[str, frozenset[str] | None, int]] = []  # type, sources (None: all), line
    for destination in destinations:
        kind, mode = destination.values.get("type"), destination.values.get("mode")
        if mode == "cloud" and kind in DEVICE_ONLY:
            sentence = f'`{kind}` is there in the browser only: it needs `mode = "device"`'
            problems.add(destination.place, sentence)
        if mode != "device" or kind is None:
            continue
        where = (*destination.place, "mode")
        for sentence in _mistakes(destination, kind):
            problems.add(where, sentence)
        for place, sentence in _filters(destination):
            problems.add(place, f'{sentence}: leave it out, or use `mode = "cloud"`')
        if kind == "script" or not destination.values.get("enabled", True):
            continue
        named = destination.values.get("sources")
        sources = None if named is None else frozenset(named)
        for line in [line for other, those, line in taken if other == kind and _meet(sources, those)][:1]:
            problems.add(where, f"a source has one `{kind}` in device mode, and that is at line {line}")
        taken.append((kind, sources, problems.line(where)))


def _filters(destination: Table) -> Iterator[tuple[Place, str]]:
    """Filters that a browser cannot keep to. Those that nobody can read are told of elsewhere."""
    condition = destination.values.get("filter")
    filters = tuple(destination.values.get("filters") or ())
    try:
        for text in (condition, *(each.condition for each in filters)):
            if text is not None:
                compile_filter(text)
    except FqlError:
        return
    tries: list[tuple[Place, Callable[[], object]]] = []
    if condition is not None:
        tries.append(((*destination.place, "filter"), partial(keeping, condition)))
    tries += [(place, partial(check, each)) for place, each in destination.items("filters") if each.enabled]
    found = [(place, str(error)) for place, attempt in tries if (error := _refusal(attempt))]
    yield from found
    if not found and (error := _refusal(partial(rule_of, condition, filters))):
        yield (*destination.place, "filters"), str(error)


def _refusal(attempt: Callable[[], object]) -> RelayError | None:
    try:
        attempt()
    except (FqlError, CannotAct) as error:
        return error
    return None


def _meet(some: frozenset[str] | None, others: frozenset[str] | None) -> bool:
    return some is None or others is None or not some.isdisjoint(others)


def _mistakes(destination: Table, kind: str) -> Iterator[str]:
    values = destination.values
    if kind not in PUBLIC or values.get("engine") == "bridge":
        yield f"`{kind}` has no script for browsers: device mode is for {', '.join(f'`{one}`' for one in PUBLIC)}"
        return
    for key in _NOT_THERE:
        if values.get(key):
            yield f'the browser cannot keep to `{key}`: leave it out, or use `mode = "cloud"`'
    needed = NEEDED.get(kind)
    settings = values.get("settings")
    if needed and isinstance(settings, dict) and not settings.get(needed):
        yield f"device mode needs the setting `{needed}`"
