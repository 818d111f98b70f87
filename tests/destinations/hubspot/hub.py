"""An invented HubSpot: contacts by email, companies by group id, records of other kinds, events that it must know."""

import copy
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from relay.destinations.base import Request
from relay.destinations.reply import Reply
from tests.destinations.driving import body, reply

STAGES = ["", "subscriber", "lead", "customer"]  # HubSpot moves them forwards only, or from nothing
LACKING = '[{"name": "segment_group_id", "error": "PROPERTY_DOESNT_EXIST"}]'
Records = dict[str, dict[str, Any]]


class Hub:
    """`objects`: the properties of records, by kind and id."""

    def __init__(self) -> None:
        self.objects: dict[str, Records] = {}
        self.associations: set[str] = set()
        self.has_group_id = True
        self.types: dict[str, dict[str, tuple[str, str]]] = {}  # of properties, by kind
        self.definitions: dict[str, dict[str, str]] = {}  # of events
        self.events: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Reply:
        path = unquote(request.url.removeprefix("https://api.hubapi.com"))
        asked = body(request) if request.body else {}
        for pattern, take in ROADS:
            match = re.fullmatch(pattern, f"{request.method} {path}")
            if match is not None:
                return take(self, asked, *match.groups())
        raise AssertionError(f"nobody expected {request.method} {path}")

    @property
    def state(self) -> Any:
        return copy.deepcopy((self.objects, self.associations, self.types, self.definitions))

    def kind(self, kind: str) -> Records:
        return self.objects.setdefault(kind, {})

    def find(self, kind: str, field: str | None, value: Any) -> str | None:
        records = self.kind(kind)
        if field is None:
            return value if value in records else None
        fits = value.lower() if field == "email" else value
        return next((one for one, values in records.items() if values.get(field) == fits), None)

    def lacks(self, kind: str, values: dict[str, Any]) -> Reply | None:
        if kind != "companies" or self.has_group_id or "segment_group_id" not in values:
            return None
        return reply({"message": f"Property values were not valid: {LACKING}"}, 400)

    def set(self, kind: str, one: str, values: dict[str, Any]) -> dict[str, Any]:
        kept = self.kind(kind)[one]
        stage, old = values.get("lifecyclestage"), kept.get("lifecyclestage", "")
        kept |= {k: v.lower() if k == "email" else v for k, v in values.items() if k != "lifecyclestage"}
        if stage is not None and (stage == "" or STAGES.index(stage) >= STAGES.index(old)):
            kept["lifecyclestage"] = stage
        return {"id": one, "properties": dict(kept)}

    def create(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        one = f"{kind}-{len(self.kind(kind)) + 1}"
        self.kind(kind)[one] = {}
        return self.set(kind, one, values)

    def is_taken(self, kind: str, values: dict[str, Any]) -> bool:
        unique = {"contacts": "email", "companies": "segment_group_id"}.get(kind)
        return unique is not None and self.find(kind, unique, values.get(unique, "-")) is not None

    def do_get(self, _: Any, kind: str, value: str, field: str) -> Reply:
        one = self.find(kind, field, value)
        return reply(status=404) if one is None else reply({"id": one, "properties": self.kind(kind)[one]})

    def do_patch(self, asked: Any, kind: str, value: str, field: str | None) -> Reply:
        if refused := self.lacks(kind, asked["properties"]):
            return refused
        one = self.find(kind, field, value)
        return reply(status=404) if one is None else reply(self.set(kind, one, asked["properties"]))

    def do_create(self, asked: Any, kind: str) -> Reply:
        if refused := self.lacks(kind, asked["properties"]):
            return refused
        if self.is_taken(kind, asked["properties"]):
            return reply({"category": "CONFLICT"}, 409)
        made = self.create(kind, asked["properties"])
        for link in asked.get("associations", ()):
            self.associations.add(f"{kind}/{made['id']}>{link['to']['id']}")
        return reply(made, 201)

    def do_search(self, asked: Any, kind: str) -> Reply:
        wanted = [one for group in asked["filterGroups"] for one in group["filters"]]
        found = [
            {"id": one, "properties": values}
            for one, values in self.kind(kind).items()
            if any(values.get(a["propertyName"]) == a["value"] for a in wanted)
        ]
        return reply({"total": len(found), "results": found})

    def do_batch(self, asked: Any, kind: str, verb: str) -> Reply:
        inputs = asked["inputs"]
        if verb == "read":
            return self.read(kind, asked["idProperty"], [one["id"] for one in inputs])
        if verb == "create":
            if any(self.is_taken(kind, one["properties"]) for one in inputs):
                return reply({"category": "CONFLICT"}, 409)
            return reply({"results": [self.create(kind, one["properties"]) for one in inputs]}, 201)
        made = []
        for one in inputs:
            found = self.find(kind, one.get("idProperty"), one["id"])
            values = one["properties"]
            made.append(self.create(kind, values) if found is None else self.set(kind, found, values))
        return reply({"results": made})

    def read(self, kind: str, field: str, keys: list[str]) -> Reply:
        ids = {key: self.find(kind, field, key) for key in keys}
        found = [{"id": one, "properties": self.kind(kind)[one]} for one in ids.values() if one is not None]
        missing = [key for key, one in ids.items() if one is None]
        if not missing:
            return reply({"results": found})
        error = {"status": "error", "category": "OBJECT_NOT_FOUND", "context": {"ids": missing}}
        return reply({"results": found, "numErrors": 1, "errors": [error]}, 207)

    def do_associate(self, _: Any, path: str) -> Reply:
        self.associations.add(path)
        return reply()

    def do_associate_many(self, asked: Any, kind: str, to: str) -> Reply:
        for one in asked["inputs"]:
            self.associations.add(f"{kind}/{one['from']['id']}>{to}/{one['to']['id']}")
        return reply(status=201)

    def do_property(self, _: Any) -> Reply:
        status = 409 if self.has_group_id else 201
        self.has_group_id = True
        return reply(status=status)

    def do_types(self, _: Any, kind: str) -> Reply:
        known = self.types.get(kind, {})
        return reply({"results": [{"name": n, "type": t, "fieldType": f} for n, (t, f) in known.items()]})

    def do_create_types(self, asked: Any, kind: str) -> Reply:
        for one in asked["inputs"]:
            assert one["groupName"]
            self.types.setdefault(kind, {})[one["name"]] = one["type"], one["fieldType"]
        return reply(status=201)

    def do_definition(self, _: Any, name: str) -> Reply:
        if name not in self.definitions:
            return reply(status=404)
        known = [{"name": key, "type": type_} for key, type_ in self.definitions[name].items()]
        return reply({"name": name, "fullyQualifiedName": f"pe1_{name}", "properties": known})

    def do_define(self, asked: Any) -> Reply:
        if asked["name"] in self.definitions:
            return reply({"message": "Event definition already exists"}, 409)
        known = {one["name"]: one["type"] for one in asked["propertyDefinitions"]}
        self.definitions[asked["name"]] = known
        return reply({"fullyQualifiedName": f"pe1_{asked['name']}"}, 201)

    def do_define_property(self, asked: Any, name: str) -> Reply:
        if asked["name"] in self.definitions[name]:
            return reply({"message": "Property already exists"}, 409)
        self.definitions[name][asked["name"]] = asked["type"]
        return reply(status=201)

    def do_event(self, asked: Any) -> Reply:
        self.events.append(asked)
        return Reply(204, "")

    def do_events(self, asked: Any) -> Reply:
        self.events.extend(asked["inputs"])
        return Reply(204, "")


_OBJECTS = r"/crm/v3/objects/([^/]+)"
ROADS: list[tuple[str, Callable[..., Reply]]] = [
    (rf"GET {_OBJECTS}/(.+)\?idProperty=(\w+)", Hub.do_get),
    (rf"PATCH {_OBJECTS}/([^?]+)(?:\?idProperty=(\w+))?", Hub.do_patch),
    (rf"POST {_OBJECTS}", Hub.do_create),
    (rf"POST {_OBJECTS}/search", Hub.do_search),
    (rf"POST {_OBJECTS}/batch/(\w+)", Hub.do_batch),
    (r"PUT /crm/v[34]/objects/(.+)", Hub.do_associate),
    (r"POST /crm/v4/associations/(\w+)/(\w+)/batch/create", Hub.do_associate_many),
    (r"POST /crm/v3/properties/companies", Hub.do_property),
    (r"GET /crm/v3/properties/(\w+)(?:\?dataSensitivity=sensitive)?", Hub.do_types),
    (r"POST /crm/v3/properties/(\w+)/batch/create", Hub.do_create_types),
    (r"GET /events/v3/event-definitions/(.+)/\?includeProperties=true", Hub.do_definition),
    (r"POST /events/v3/event-definitions", Hub.do_define),
    (r"POST /events/v3/event-definitions/pe1_([^/]+)/property", Hub.do_define_property),
    (r"POST /events/v3/send", Hub.do_event),
    (r"POST /events/v3/send/batch", Hub.do_events),
]


def identify(email: str = "ana@example.com", **traits: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "messageId": f"m-{email}",
        "userId": "u1",
        "timestamp": "2026-03-02T09:00:00.000Z",
        "traits": {"email": email, **traits},
    }


def group(email: str | None = "ana@example.com", **traits: Any) -> dict[str, Any]:
    return {
        "type": "group",
        "messageId": "m-group",
        "userId": "u1",
        "groupId": "g 1/a",
        "timestamp": "2026-03-02T09:00:00.000Z",
        "traits": {"name": "Acme", **traits},
        "context": {} if email is None else {"traits": {"email": email}},
    }


def track(name: str = "Order Completed", **properties: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": "m-track",
        "userId": "u1",
        "event": name,
        "timestamp": "2026-03-02T09:00:00.000Z",
        "properties": properties,
    }


SETTINGS = {"portalId": "1", "oauth": {"access_token": "t0ken"}}
