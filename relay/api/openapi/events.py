"""The document's part about events: the debugger, dead letters, replays, violations, what was blocked."""

from relay.api.blocked_events import ReleaseRequest
from relay.api.openapi.operation import (
    COUNT,
    FLAG,
    JSON,
    MOMENT,
    OBJECT,
    TEXT,
    Operation,
    Schema,
    an,
    many,
    nullable,
)
from relay.console.search import OUTCOMES

_PAGE = {"limit": COUNT}
_CHOSEN: Schema = {
    **an(
        destination=nullable("string"),
        reason=nullable("string"),
        ids={"type": ["array", "null"], "items": {"type": "integer"}},
    ),
    "anyOf": [{"required": ["destination"]}, {"required": ["reason"]}, {"required": ["ids"]}],
}
_ID: Schema = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
_REPLAY: Schema = an("id", "destination", "state", "events", "requests", id=_ID, state=TEXT, events=OBJECT)
_BLOCKED = {"source": TEXT, "event": TEXT, "reason": TEXT, "since": MOMENT, "until": MOMENT, "released": FLAG}

_SEARCH = {
    "source": TEXT,
    "event": TEXT,
    "type": TEXT,
    "messageId": TEXT,
    "q": TEXT,
    "violations": FLAG,
    "destination": TEXT,
    "outcome": {"type": "string", "enum": list(OUTCOMES)},
}

OPERATIONS = (
    Operation(
        "GET /v1/debugger/events",
        "The newest events; as server-sent events with Accept: text/event-stream",
        an("events", events=many(OBJECT)),
        query=_SEARCH | _PAGE,
        media_types=(JSON, "text/event-stream"),
    ),
    Operation(
        "GET /v1/dead-letters",
        "What destinations refused for good",
        an("deadLetters", deadLetters=many(OBJECT)),
        query={"destination": TEXT, "reason": TEXT, "before": COUNT, **_PAGE},
    ),
    Operation(
        "POST /v1/dead-letters/retry",
        "Try dead letters again",
        an("retried", retried=COUNT),
        body=_CHOSEN,
    ),
    Operation(
        "POST /v1/dead-letters/drop",
        "Forget dead letters",
        an("dropped", dropped=COUNT),
        body=_CHOSEN,
    ),
    Operation("GET /v1/replays", "The newest replays", an("replays", replays=many(_REPLAY)), query=_PAGE),
    Operation(
        "POST /v1/replays",
        "Begin a replay",
        _REPLAY,
        body=an(
            "destination",
            destination=TEXT,
            since=nullable("string"),
            until=nullable("string"),
            sources=many(TEXT),
            events=many(TEXT),
            users=many(TEXT),
            filter=nullable("string"),
            rate={"type": ["number", "null"], "exclusiveMinimum": 0},
            dryRun=FLAG,
        ),
        status=201,
    ),
    Operation("GET /v1/replays/{id}", "How far a replay is", _REPLAY, path_schemas={"id": _ID}),
    Operation("DELETE /v1/replays/{id}", "End a replay", _REPLAY, path_schemas={"id": _ID}),
    Operation(
        "GET /v1/violations",
        "What events did not keep of their tracking plans, counted",
        an("violations", violations=many(OBJECT)),
        query={"source": TEXT, "event": TEXT, "since": MOMENT, **_PAGE},
    ),
    Operation(
        "GET /v1/blocked-events",
        "What tracking plans have blocked",
        an("blockedEvents", blockedEvents=many(OBJECT)),
        query={**_BLOCKED, "before": COUNT, **_PAGE},
    ),
    Operation(
        "GET /v1/blocked-events/groups",
        "How many were blocked, by source, name and reason",
        an("groups", groups=many(OBJECT)),
        query={**_BLOCKED, **_PAGE},
    ),
    Operation(
        "POST /v1/blocked-events/release",
        "Let blocked events go on, if the plan does now",
        an("dryRun", "released", "stillBlocked", "unknownSource", "next", dryRun=FLAG, released=COUNT),
        body=ReleaseRequest,
        also={503: "nothing can be kept now"},
    ),
)
