"""One operation of the document. A route is described by an `Operation` in the list of its file."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

JSON = "application/json"
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
MOMENT: Schema = {"type": "string", "description": "ISO 8601, or a duration back from now such as 2h"}


class Operation(NamedTuple):
    """`answer` is what comes with 200, `also` what else may come, besides what `Errors` always has.

    `body`: a msgspec struct, the same that decodes it, or several; or a schema.
    """

    route: str  # `GET /v1/status`
    summary: str
    answer: Schema | None = None
    body: Any = None
    query: Mapping[str, Schema] = {}
    also: Mapping[int, str] = {}
    status: int = 200
    media_types: tuple[str, ...] = (JSON,)
    body_media_types: tuple[str, ...] = (JSON,)
    is_open: bool = False  # no token
    is_body_needed: bool = True
    path_schemas: Mapping[str, Schema] = {}  # of parameters that are more than a text

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.route.partition(" ")[2]

    @property
    def parameters(self) -> list[dict[str, Any]]:
        named = [
            {"name": name, "in": "path", "required": True, "schema": self.path_schemas.get(name, TEXT)}
            for name in re.findall(r"\{(\w+)\}", self.path)
        ]
        return named + [
            {"name": name, "in": "query", "schema": schema} for name, schema in self.query.items()
        ]


def an(*required: str, **properties: Schema) -> Schema:
    """The schema of an object. Those of `required` that have no schema may be anything."""
    known: dict[str, Schema] = {name: {} for name in required}
    known |= properties
    return {"type": "object", "required": list(required), "properties": known}


def many(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def nullable(kind: str) -> Schema:
    return {"type": [kind, "null"]}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


class Errors(NamedTuple):
    """How the routes of one API say no: the schema, and when."""

    schema: Schema
    always: Mapping[int, str]  # statuses that every route may answer with

    def of(self, operation: Operation) -> Mapping[int, str]:
        """What this operation may answer with when something is wrong."""
        if operation.is_open:
            return operation.also
        takes = operation.body is not None or bool(operation.query)
        refused = {400: "a parameter or the body is not what it must be"} if takes else {}
        large = {413: "the body is too large"} if operation.body is not None else {}
        changed = {403: "this token may look, not change"} if operation.method != "GET" else {}
        named = {404: "there is no such thing"} if "{" in operation.path else {}
        return {**refused, **self.always, **changed, **named, **large, **operation.also}


Section = tuple[Errors, Iterable[Operation]]
