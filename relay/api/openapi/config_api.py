"""The document's part about the Config API."""

from relay.api.openapi.operation import COUNT, TEXT, Errors, Operation, an, many, ref
from relay.api.plan_bodies import ConfigPlan, SourceName, SourceNames, Update, WrappedPlan, WrappedUpdate
from relay.api.plan_controls import BareSchemaConfigUpdate, SchemaConfigUpdate

ERRORS = Errors(
    ref("ConfigApiProblem"),
    {
        401: "a token is required",
        500: "a fault of relay's own: see its log",
        503: "plans cannot be read or kept now",
    },
)

_ALL = "/v1beta/workspaces/{workspace}/tracking-plans"
_CONNECTIONS = _ALL + "/{plan}/source-connections"
_SOURCES = "/v1beta/workspaces/{workspace}/sources"
_CONTROLS = _SOURCES + "/{source}/schema-config"
_PAGE = {"page_size": COUNT, "page_token": TEXT}
_TAKEN = {409: "the plan or the source is relay.toml's, or the source has another plan"}

SCHEMAS = {
    "ConfigApiProblem": an("error", "code", error=TEXT, code={"type": "integer"}),
    "TrackingPlan": an(
        "name",
        "display_name",
        "rules",
        name=TEXT,
        display_name=TEXT,
        create_time={"type": "string", "format": "date-time"},
        update_time={"type": "string", "format": "date-time"},
        rules=an(
            *("events", "global", "identify", "group", "identify_traits", "group_traits"),
            events=many(an("name", "version", "description", "rules", name=TEXT, version=COUNT)),
        ),
    ),
    "SourceConnection": an("source_name", "tracking_plan_id", source_name=TEXT, tracking_plan_id=TEXT),
    "Source": an("name", "parent", name=TEXT, parent=TEXT),
}
_PLAN, _CONNECTION, _SOURCE = ref("TrackingPlan"), ref("SourceConnection"), ref("Source")

OPERATIONS = (
    Operation(
        f"GET {_ALL}",
        "All tracking plans",
        an("tracking_plans", "next_page_token", tracking_plans=many(_PLAN), next_page_token=TEXT),
        query=_PAGE,
    ),
    Operation(f"POST {_ALL}", "Make a tracking plan", _PLAN, body=(ConfigPlan, WrappedPlan)),
    Operation(f"GET {_ALL}/{{plan}}", "A tracking plan", _PLAN),
    *(
        Operation(
            f"{method} {_ALL}/{{plan}}",
            "Change what update_mask names of a tracking plan",
            _PLAN,
            body=(Update, WrappedUpdate),
            also=_TAKEN,
        )
        for method in ("PUT", "PATCH")
    ),
    Operation(f"DELETE {_ALL}/{{plan}}", "Delete a tracking plan", an(), also=_TAKEN),
    Operation(
        f"GET {_CONNECTIONS}",
        "The sources that have a tracking plan",
        an("connections", connections=many(_CONNECTION)),
    ),
    Operation(f"POST {_CONNECTIONS}", "Connect a source", _CONNECTION, body=SourceName, also=_TAKEN),
    Operation(
        f"POST {_CONNECTIONS}:batchCreateConnections",
        "Connect sources: all of them or none",
        an("connections", connections=many(_CONNECTION)),
        body=SourceNames,
        also=_TAKEN,
    ),
    Operation(f"DELETE {_CONNECTIONS}/{{source}}", "Disconnect a source", an(), also=_TAKEN),
    Operation(
        f"GET {_SOURCES}",
        "All sources",
        an("sources", "next_page_token", sources=many(_SOURCE), next_page_token=TEXT),
        query=_PAGE,
    ),
    Operation(f"GET {_SOURCES}/{{source}}", "A source", _SOURCE),
    Operation(f"GET {_CONTROLS}", "The schema controls of a source", an("name", "parent")),
    Operation(
        f"PATCH {_CONTROLS}",
        "Set schema controls of a source",
        an("name", "parent"),
        body=(BareSchemaConfigUpdate, SchemaConfigUpdate),
        also=_TAKEN,
    ),
)
