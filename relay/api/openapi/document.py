"""`GET /openapi.json`: every route of the admin listener. What a body may be is said by the struct that decodes it."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec
from aiohttp import web

from relay import __version__
from relay.api.openapi import config_api, events, operations, public_api
from relay.api.openapi.operation import Errors, Operation, Section
from relay.api.parameters import answer

SECTIONS: tuple[Section, ...] = (
    (operations.ERRORS, operations.OPERATIONS),
    (operations.ERRORS, events.OPERATIONS),
    (config_api.ERRORS, config_api.OPERATIONS),
    (public_api.ERRORS, public_api.OPERATIONS),
)

_DEFINITIONS = "#/components/schemas/{name}"


def openapi_routes() -> list[web.RouteDef]:
    """The route, to be added to the admin application."""

    async def show(_: web.Request) -> web.Response:
        return answer(document())

    return [web.get("/openapi.json", show)]


@cache
def document() -> dict[str, Any]:
    """The document, which nobody changes."""
    structs = tuple(_structs())
    schemas, components = msgspec.json.schema_components(structs, ref_template=_DEFINITIONS)
    of_struct = dict(zip(structs, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for errors, described in SECTIONS:
        for operation in described:
            written = _written(operation, errors, of_struct)
            paths.setdefault(operation.path, {})[operation.method.lower()] = written
    shown = {**operations.SCHEMAS, **config_api.SCHEMAS, **public_api.SCHEMAS}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "relay",
            "version": __version__,
            "description": "The admin listener, with Segment's Config API and Public API for tracking plans.",
        },
        "security": [{"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": {**components, **shown},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _structs() -> Iterator[type]:
    for _, described in SECTIONS:
        for operation in described:
            yield from _bodies(operation)


def _bodies(operation: Operation) -> Iterable[Any]:
    body = operation.body
    if isinstance(body, tuple):
        return body
    return (body,) if isinstance(body, type) else ()


def _written(operation: Operation, errors: Errors, of_struct: dict[Any, Any]) -> dict[str, Any]:
    responses = {str(operation.status): _response("done", operation.answer, operation.media_types)}
    is_json = any("json" in media_type for media_type in operation.media_types)
    for status, why in errors.of(operation).items():
        media_types = operation.media_types if is_json or operation.is_open else ("application/json",)
        schema = operation.answer if operation.is_open else errors.schema
        responses[str(status)] = _response(why, schema, media_types)
    written: dict[str, Any] = {"summary": operation.summary, "responses": responses}
    if operation.parameters:
        written["parameters"] = operation.parameters
    if operation.body is not None:
        written["requestBody"] = {
            "required": operation.is_body_needed,
            "content": {
                one: {"schema": _body_schema(operation, of_struct)} for one in operation.body_media_types
            },
        }
    if operation.is_open:
        written["security"] = []
    return written


def _body_schema(operation: Operation, of_struct: dict[Any, Any]) -> Any:
    schemas = [of_struct[one] for one in _bodies(operation)]
    if not schemas:
        return operation.body
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _response(description: str, schema: Any, media_types: Iterable[str]) -> dict[str, Any]:
    if schema is None:
        return {"description": description}
    return {"description": description, "content": {one: {"schema": schema} for one in media_types}}
