"""Events and records as hypothesis makes them up, and JSON written in more ways than one."""

import json
import random
from typing import Any

from hypothesis import strategies as st

from relay.event import TYPES
from relay.log.record import Record
from tests.log.records import NOON

Json = Any

ROUTES = ("batch", *sorted(TYPES))
TIMES = st.sampled_from(
    [
        "2026-11-24T11:59:58.123Z",
        "2026-11-24T12:00:00.000Z",
        "2026-11-24T12:00:07.999Z",
        "2026-11-25T12:00:00.001Z",
        "2026-11-26T12:00:00.000Z",
        "1999-01-01T00:00:00.000Z",
        "0001-01-01T00:00:00.000Z",
        "9999-12-31T23:59:59.999Z",
        "2026-11-24T11:59:58Z",
        "2026-11-24T11:59:58.123456Z",
        "2026-11-24T13:59:58.123+02:00",
        "2026-11-24 11:59:58.123Z",
        "2026-11-24T11:59:58.123z",
        "2026-13-24T11:59:58.123Z",
        "2026-1-2",
        "yesterday",
        "",
    ]
)
TEXTS = st.one_of(
    st.sampled_from(["u-1", "é", "日本", "😀", '"', "\\", "</script>", "a\tb\n", "\x7f", "0.0.0.0"]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8),
)
ODD: st.SearchStrategy[Json] = st.sampled_from(
    [None, "", 0, 5, 12345678901, 1.5, -2.0, 1e21, True, False, [], {}, ["x"], {"a": 1}, [{}], "x" * 101]
)
NAMES = st.sampled_from(
    [
        "timestamp",
        "context",
        "writeKey",
        "type",
        "messageId",
        "sentAt",
        "ip",
        "a",
        "b c",
        "é",
        "\\",
        '"',
        "library",
    ]
)
LEAVES = st.one_of(TEXTS, TIMES, ODD, st.integers(), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


def mostly(usual: st.SearchStrategy[Json], odd: st.SearchStrategy[Json] = ODD) -> st.SearchStrategy[Json]:
    """Now and then something that does not belong there."""
    return st.integers(0, 24).flatmap(lambda n: usual if n else odd)


CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "ip": mostly(TEXTS),
        "userAgent": mostly(TEXTS),
        "library": mostly(st.fixed_dictionaries({"name": mostly(TEXTS)}, optional={"version": TEXTS})),
        "traits": mostly(OBJECTS),
        "page": OBJECTS,
        "timezone": TEXTS,
    },
)
UNUSUAL_CONTEXTS = st.builds(lambda context, direct: {**context, "direct": direct}, CONTEXTS, ODD)
INTEGRATIONS = st.dictionaries(
    st.sampled_from(["All", "Segment.io", "é"]), st.one_of(st.booleans(), OBJECTS), max_size=3
)
USUAL: dict[str, st.SearchStrategy[Json]] = {
    "messageId": mostly(TEXTS),
    "userId": mostly(TEXTS),
    "event": mostly(TEXTS),
    "groupId": mostly(TEXTS),
}
MAYBE: dict[str, st.SearchStrategy[Json]] = {
    "anonymousId": mostly(TEXTS),
    "timestamp": mostly(TIMES),
    "sentAt": mostly(TIMES),
    "context": mostly(CONTEXTS, st.one_of(ODD, UNUSUAL_CONTEXTS)),
    "integrations": mostly(INTEGRATIONS),
    "properties": mostly(OBJECTS),
    "traits": mostly(OBJECTS),
    "writeKey": mostly(TEXTS),
    "channel": TEXTS,
    "_metadata": OBJECTS,
}
RARELY: dict[str, st.SearchStrategy[Json]] = {
    "originalTimestamp": mostly(TIMES),
    "previousId": mostly(TEXTS),
    "name": mostly(TEXTS),
    "category": mostly(TEXTS),
    "sequence": ODD,
    "receivedAt": TIMES,
    "version": ODD,
    "sourceId": TEXTS,
}


@st.composite
def events(draw: st.DrawFn, kind: str) -> Json:
    """An event: most are as SDKs send them, some lack something or have something odd."""
    if draw(st.integers(0, 40)) == 0:
        return draw(ODD)
    usual = {name: value for name, value in USUAL.items() if draw(st.integers(0, 15))}
    optional = {**MAYBE, **(RARELY if draw(st.integers(0, 5)) == 0 else {})}
    event = draw(st.fixed_dictionaries(usual, optional=optional))
    if kind != "batch":
        if draw(st.booleans()):
            event["type"] = draw(mostly(st.just(kind)))
    else:
        event["type"] = draw(mostly(st.sampled_from(sorted(TYPES))))
    return dict(draw(st.permutations(list(event.items()))))


@st.composite
def bodies(draw: st.DrawFn, route: str) -> Json:
    """A body as a JSON value."""
    if route != "batch":
        return draw(events(route))
    body = {"batch": draw(mostly(st.lists(events("batch"), max_size=4)))}
    optional = {"sentAt": mostly(TIMES), "writeKey": mostly(TEXTS), "timestamp": TIMES, "messageId": TEXTS}
    if draw(st.integers(0, 3)) == 0:
        optional |= {"context": mostly(CONTEXTS), "integrations": mostly(INTEGRATIONS)}
    return {**draw(st.fixed_dictionaries({}, optional=optional)), **body}


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A request as the log keeps it."""
    route = draw(st.sampled_from(ROUTES))
    body = write(draw(bodies(route)), draw(st.sampled_from(STYLES)), draw(st.randoms(use_true_random=False)))
    return Record(
        NOON,
        draw(st.sampled_from(["app", "a b", "é"])),
        route,
        draw(st.booleans()),
        draw(st.sampled_from([None, "1.2.3.4", "::1"])),
        draw(st.sampled_from([None, "", "analytics-node/3.1.0", "Mozilla/5.0 (X11)", 'q"é/1'])),
        draw(st.one_of(st.none(), TIMES)),
        1,
        body,
    )


STYLES = ("compact", "compact", "compact", "ascii", "spaced", "indented", "wild")


def write(value: Json, style: str, at_random: random.Random) -> bytes:
    """JSON of `value`, written as this or that encoder does."""
    if style == "wild":
        return _wild(value, at_random).encode()
    separators = None if style in ("spaced", "indented") else (",", ":")
    text = json.dumps(
        value, ensure_ascii=style == "ascii", separators=separators, indent=2 if style == "indented" else None
    )
    return text.encode()


def _wild(value: Json, at_random: random.Random) -> str:
    """With white space and slashes that nobody needs, differently at each place."""

    def gap() -> str:
        return at_random.choice(["", "", "", " ", "\n\t"])

    if isinstance(value, dict):
        pairs = [
            f"{gap()}{_wild(k, at_random)}{gap()}:{gap()}{_wild(v, at_random)}{gap()}"
            for k, v in value.items()
        ]
        return "{" + (",".join(pairs) or gap()) + "}"
    if isinstance(value, list):
        return "[" + (",".join(f"{gap()}{_wild(v, at_random)}{gap()}" for v in value) or gap()) + "]"
    text = json.dumps(value, ensure_ascii=at_random.random() < 0.5)
    if isinstance(value, str) and at_random.random() < 0.3:
        text = text.replace("/", "\\/")
    return text
