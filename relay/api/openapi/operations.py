"""The document's part about relay itself: how it is doing, destinations, alerts, its configuration."""

from relay.api.openapi.operation import (
    COUNT,
    FLAG,
    OBJECT,
    TEXT,
    Errors,
    Operation,
    Schema,
    an,
    many,
    nullable,
    ref,
)
from relay.history.history import RANGES

SCHEMAS = {"Problem": an("error", error=an("code", "message", code=TEXT, message=TEXT))}

ERRORS = Errors(
    ref("Problem"),
    {401: "a token is required", 500: "a fault of relay's own: see its log"},
)

_RANGE: Schema = {"type": "string", "enum": list(RANGES)}
_LOGIN: Schema = an("destination", "state", "loggedIn", destination=TEXT, loggedIn=FLAG)

OPERATIONS = (
    Operation("GET /healthz", "Whether relay answers at all", an("ok", ok=FLAG), is_open=True),
    Operation(
        "GET /readyz",
        "Whether events can be kept",
        an("ready", "problem", ready=FLAG, problem=nullable("string")),
        also={503: "they cannot"},
        is_open=True,
    ),
    Operation("GET /metrics", "Metrics for Prometheus", TEXT, media_types=("text/plain",), is_open=True),
    Operation("GET /openapi.json", "This document", an("openapi", "paths")),
    Operation(
        "GET /v1/status",
        "How sources and destinations are doing",
        an("version", "log", "admission", "sources", "destinations", version=TEXT, log=OBJECT),
    ),
    Operation(
        "GET /v1/overview",
        "What happened lately: charts, and where events went",
        an("range", "funnel", "series", range=_RANGE, funnel=OBJECT, series=OBJECT),
        query={"range": _RANGE},
    ),
    Operation(
        "POST /v1/reload",
        "Take up a changed relay.toml",
        an("reloaded", "restartNeededFor", reloaded=FLAG, restartNeededFor=many(TEXT)),
        also={400: "the file has mistakes; nothing changes"},
    ),
    Operation(
        "POST /v1/destinations/{name}/pause",
        "Stop sending to a destination",
        an("destination", "paused", destination=TEXT, paused=FLAG),
    ),
    Operation(
        "POST /v1/destinations/{name}/resume",
        "Go on sending to a destination",
        an("destination", "paused", destination=TEXT, paused=FLAG),
    ),
    Operation(
        "GET /v1/destinations/{name}/login",
        "Whether a destination is logged in to",
        _LOGIN,
        also={400: "it is not one that one logs in to"},
    ),
    Operation(
        "POST /v1/destinations/{name}/login",
        "Begin a login",
        an("url", "redirectUri", "expiresInSeconds", url=TEXT, redirectUri=TEXT),
        body=an(redirectUri=nullable("string")),
        is_body_needed=False,
    ),
    Operation(
        "POST /v1/destinations/{name}/logout",
        "Forget the tokens of a destination",
        _LOGIN,
        also={400: "it is not one that one logs in to"},
    ),
    Operation(
        "GET /oauth/callback",
        "Where a vendor sends the browser back to",
        TEXT,
        query={"state": TEXT, "code": TEXT, "error": TEXT},
        also={400: "the login did not work"},
        media_types=("text/html",),
        is_open=True,
    ),
    Operation("GET /v1/alerts", "The alerts and how they are doing", an("alerts", alerts=many(OBJECT))),
    Operation(
        "POST /v1/alerts/{name}/test",
        "Try the channels of an alert",
        an("alert", "channels", alert=TEXT, channels=many(an("channel", "sent", "problem"))),
    ),
    Operation(
        "GET /v1/plans/infer",
        "A tracking plan from what sources have sent",
        an("plan", "notes", "events", "cutAt", plan=OBJECT, events=COUNT, cutAt=nullable("string")),
        query={
            "source": TEXT,
            "since": TEXT,
            "until": TEXT,
            "limit": COUNT,
            "name": TEXT,
            "examples": FLAG,
        },
        also={409: "another is on its way"},
    ),
    Operation(
        "POST /v1/validate",
        "What would become of an event, or a batch, of a source",
        an("success", success=FLAG),
        query={"source": TEXT},
        body=OBJECT,
        also={404: "there is no such source"},
    ),
)
