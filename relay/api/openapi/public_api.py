"""The document's part about the Public API."""

from relay.api.dialects import MEDIA_TYPES
from relay.api.openapi.operation import (
    COUNT,
    FLAG,
    JSON,
    TEXT,
    Errors,
    Operation,
    Schema,
    an,
    many,
    nullable,
    ref,
)
from relay.api.plan_bodies import Identities, NewPlan, NewRules, PlanChange, SourceId, Upserts
from relay.api.plan_controls import Settings

ERRORS = Errors(
    ref("PublicApiProblem"),
    {
        401: "a token is required",
        500: "a fault of relay's own: see its log",
        503: "plans cannot be read or kept now",
    },
)

_TAKEN = {409: "the plan or the source is relay.toml's, the source has another plan, the key another rule"}
_PAGE = {"pagination[count]": COUNT, "pagination[cursor]": TEXT}
_BOTH = (JSON, *MEDIA_TYPES)

SCHEMAS = {
    "PublicApiProblem": an("errors", errors=many(an("type", "message", type=TEXT, message=TEXT, field=TEXT))),
    "PublicTrackingPlan": an(
        *("id", "resourceSchemaId", "name", "description", "type"),
        **dict.fromkeys(("id", "resourceSchemaId", "name", "description", "type"), TEXT),
    ),
    "PublicSource": an("id", "slug", "name", "enabled", id=TEXT, slug=TEXT, name=TEXT, enabled=FLAG),
    "Pagination": an("current", "totalEntries", current=TEXT, next=TEXT, previous=TEXT, totalEntries=COUNT),
    "PublicSettings": an("track", "identify", "group"),
}
_PLAN, _SOURCE, _PAGINATION = ref("PublicTrackingPlan"), ref("PublicSource"), ref("Pagination")


def _data(*required: str, **properties: Schema) -> Schema:
    return an("data", data=an(*required, **properties))


def _operation(
    route: str,
    summary: str,
    answer: Schema,
    body: type | None = None,
    query: dict[str, Schema] | None = None,
    *,
    is_body_needed: bool = True,
) -> Operation:
    return Operation(
        route,
        summary,
        answer,
        body,
        query or {},
        also={} if route.startswith("GET") else _TAKEN,
        media_types=_BOTH,
        body_media_types=_BOTH,
        is_body_needed=is_body_needed,
    )


_DONE = _data("status", status={"const": "SUCCESS"})
_SETTINGS = _data("sourceId", "settings", sourceId=TEXT, settings=ref("PublicSettings"))
_SOURCES = _data("sources", "pagination", sources=many(_SOURCE), pagination=_PAGINATION)
_ONE = "/tracking-plans/{plan}"

OPERATIONS = (
    _operation(
        "GET /tracking-plans",
        "All tracking plans, or those of one type",
        _data("trackingPlans", "pagination", trackingPlans=many(_PLAN), pagination=_PAGINATION),
        query={"type": TEXT, **_PAGE},
    ),
    _operation(
        "POST /tracking-plans",
        "Make a tracking plan without rules",
        _data("trackingPlan", trackingPlan=_PLAN),
        NewPlan,
    ),
    _operation(f"GET {_ONE}", "A tracking plan", _data("trackingPlan", trackingPlan=_PLAN)),
    _operation(f"PATCH {_ONE}", "Change name and description", _DONE, PlanChange),
    _operation(f"DELETE {_ONE}", "Delete a tracking plan", _DONE),
    _operation(
        f"GET {_ONE}/rules",
        "The rules of a tracking plan",
        _data(
            "rules",
            "pagination",
            rules=many(an("type", "version", "jsonSchema", type=TEXT, version=COUNT)),
            pagination=_PAGINATION,
        ),
        query=_PAGE,
    ),
    _operation(f"PUT {_ONE}/rules", "Replace all rules", _DONE, NewRules),
    _operation(f"PATCH {_ONE}/rules", "Add, replace and rename rules", _DONE, Upserts),
    _operation(
        f"DELETE {_ONE}/rules",
        "Remove rules, named in the body or in the query",
        _DONE,
        Identities,
        {"rules": {"type": "string", "description": "JSON: a list of identities"}},
        is_body_needed=False,
    ),
    _operation(f"GET {_ONE}/sources", "The sources that have a tracking plan", _SOURCES, query=_PAGE),
    _operation(f"POST {_ONE}/sources", "Connect a source", _DONE, SourceId),
    _operation(
        f"DELETE {_ONE}/sources",
        "Disconnect a source, named in the query or in the body",
        _DONE,
        SourceId,
        {"sourceId": TEXT},
        is_body_needed=False,
    ),
    _operation("GET /sources", "All sources", _SOURCES, query=_PAGE),
    _operation(
        "GET /sources/{source}",
        "A source, and the plan that it has",
        _data("source", "trackingPlanId", source=_SOURCE, trackingPlanId=nullable("string")),
    ),
    _operation("GET /sources/{source}/settings", "The schema controls of a source", _SETTINGS),
    _operation("PATCH /sources/{source}/settings", "Set schema controls", _SETTINGS, Settings),
)
