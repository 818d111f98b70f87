"""What vendors answer when all is well, and how they refuse single events of a request.

A world is a function from requests to answers that remembers what it was told, where the vendor would. Wherever
somebody may be known to it or not, it knows every other: both ways are gone.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any
from urllib.parse import unquote

from tests.destinations.vendor import Asked, Said, World

NOT_TAKEN: frozenset[str] = frozenset()


def is_old(message_id: str) -> bool:
    """Whether the vendor knows it from before."""
    return int(message_id.removeprefix("m-")) % 2 == 0


def whole(asked: Asked) -> Said:
    """Refuses a request because of any of its events, and does not say which."""
    return Said(400, {"error": "not like this"})


def good(asked: Asked) -> Said:
    """An answer that says nothing."""
    return Said()


def plain(answer: World) -> Callable[[], World]:
    """A world without memory."""
    return lambda: answer


def places(items: Sequence[Any], asked: Asked) -> list[int]:
    """Where in a list the refused events are."""
    written = [json.dumps(item) for item in items]
    return [place for place, one in enumerate(written) if any(f'{i}"' in one for i in asked.refused)]


def others(asked: Asked) -> frozenset[str]:
    """The events of a request that are taken when the refused ones are not."""
    return frozenset(asked.ids) - asked.refused


# amplitude, mixpanel


def amplitude_partly(asked: Asked) -> Said:
    fields = {"time": places(asked.json["events"], asked)}
    return Said(400, {"code": 400, "error": "Invalid events", "events_with_invalid_fields": fields})


def mixpanel(asked: Asked) -> Said:
    if asked.path.startswith("/import"):
        return Said(body={"code": 200, "num_records_imported": len(asked.json), "status": "OK"})
    return Said(body=1)


def mixpanel_partly(asked: Asked) -> Said:
    if not asked.path.startswith("/import"):
        return Said(body=0, taken=NOT_TAKEN)
    failed = [
        {"index": i, "field": "properties.time", "message": "too old"} for i in places(asked.json, asked)
    ]
    return Said(400, {"code": 400, "status": "Bad Request", "failed_records": failed}, taken=others(asked))


# google, meta, tiktok


def google_ads(asked: Asked) -> Said:
    if not asked.path.endswith("searchStream"):
        return Said(body={"results": [{} for _ in asked.json["conversions"]]})
    found = [
        {"conversionCustomVariable": {"name": name, "resourceName": f"customers/1234567890/{name}"}}
        for name in ("message", "text")
    ]
    return Said(body=[{"results": found}])


def google_ads_fault(code: str, *indexes: int) -> dict[str, Any]:
    errors = [
        {
            "errorCode": {"conversionUploadError": code},
            "location": {"fieldPathElements": [{"fieldName": "conversions", "index": index}]},
        }
        for index in indexes
    ]
    return {"partialFailureError": {"code": 3, "details": [{"errors": errors}]}}


def google_ads_partly(asked: Asked) -> Said:
    fault = google_ads_fault("EXPIRED_EVENT", *places(asked.json["conversions"], asked))
    return Said(body=fault, taken=others(asked))


def meta(asked: Asked) -> Said:
    return Said(body={"events_received": len(asked.json["data"]), "messages": [], "fbtrace_id": "t"})


def meta_refuses(asked: Asked) -> Said:
    return Said(400, {"error": {"message": "Invalid parameter", "code": 100, "error_subcode": 2804003}})


def tiktok(asked: Asked) -> Said:
    return Said(body={"code": 0, "message": "OK", "data": {}})


def tiktok_refuses(asked: Asked) -> Said:
    return Said(body={"code": 40002, "message": "Invalid value"}, taken=NOT_TAKEN)


# customer.io, braze, klaviyo


def customerio_partly(asked: Asked) -> Said:
    if not asked.path.endswith("/batch"):
        return whole(asked)
    errors = [
        {"batch_index": i, "reason": "invalid", "field": "name"} for i in places(asked.json["batch"], asked)
    ]
    return Said(207, {"errors": errors}, taken=others(asked))


def braze_partly(asked: Asked) -> Said:
    errors = [
        {"type": "'name' is not allowed", "input_array": "events", "index": i}
        for i in places(asked.json["events"], asked)
    ]
    return Said(201, {"message": "success", "errors": errors}, taken=others(asked))


def klaviyo_events_partly(asked: Asked) -> Said:
    if "bulk" not in asked.path:
        return whole(asked)
    made = asked.json["data"]["attributes"]["events-bulk-create"]["data"]
    at = "/data/attributes/events-bulk-create/data"
    errors = [
        {"status": 400, "detail": "bad", "source": {"pointer": f"{at}/{i}/attributes"}}
        for i in places(made, asked)
    ]
    return Said(400, {"errors": errors})


def klaviyo_profiles(asked: Asked) -> Said:
    if asked.path != "/api/profiles/" or not is_old(asked.ids[0]):
        return Said(202, {"data": {"id": asked.ids[0]}} if asked.ids else {})
    duplicate = {"duplicate_profile_id": asked.ids[0]}
    return Said(409, {"errors": [{"status": 409, "code": "duplicate_profile", "meta": duplicate}]})


def klaviyo_pages(asked: Asked) -> Said:
    """Twenty profiles on a page, and where the next one is."""
    if asked.method != "GET":
        return Said(204, "")
    rest = ",".join(asked.ids[20:])
    following = f"https://a.klaviyo.com/api/profiles/?filter={rest}" if rest else None
    return Said(body={"data": [{"id": one} for one in asked.ids[:20]], "links": {"next": following}})


# intercom


def intercom(asked: Asked) -> Said:
    if asked.path == "/contacts/search":
        found = [{"id": one} for one in asked.ids if is_old(one)]
        return Said(body={"total_count": len(found), "data": found})
    return Said(body={"id": asked.ids[0]})


def intercom_knows(asked: Asked) -> Said:
    """The same, where every contact is known."""
    if asked.path != "/contacts/search":
        return Said(202, {"id": asked.ids[0]} if asked.ids else {})
    return Said(body={"total_count": 1, "data": [{"id": asked.ids[0] if asked.ids else "c1"}]})


# hubspot


def hubspot_contacts() -> World:
    made: set[str] = set()

    def answer(asked: Asked) -> Said:
        known = {one for one in asked.ids if is_old(one) or one in made}
        if asked.path.endswith("/batch/read"):
            return Said(body={"status": "COMPLETE", "results": _contacts(asked.ids, known)})
        if asked.method == "PATCH" and not known:
            return Said(404)
        made.update(asked.ids)
        if "/batch/" in asked.path:
            return Said(body={"status": "COMPLETE", "results": _contacts(asked.ids, set(asked.ids))})
        return Said(body={"id": asked.ids[0], "properties": {}})

    return answer


def _contacts(ids: Sequence[str], known: set[str]) -> list[dict[str, Any]]:
    return [{"id": one, "properties": {"email": f"{one}@example.com"}} for one in ids if one in known]


def hubspot_contacts_partly(asked: Asked) -> Said:
    if "/batch/" not in asked.path:
        return whole(asked)
    errors = [
        {"category": "VALIDATION_ERROR", "context": {"ids": [one, f"{one}@example.com"]}}
        for one in asked.refused
    ]
    taken = others(asked)
    results = _contacts(asked.ids, set(taken))
    return Said(207, {"results": results, "numErrors": len(errors), "errors": errors}, taken=taken)


def hubspot_companies() -> World:
    """The contact there is after it was created; a company's id is that of its event."""
    contacts: list[str] = []

    def answer(asked: Asked) -> Said:
        if "/contacts/" in asked.path and asked.method == "GET" and not contacts:
            return Said(404)
        if asked.path.endswith("/contacts"):
            contacts.append("77")
        if "/contacts" in asked.path:
            return Said(body={"id": "77"})
        return Said(404) if asked.method == "PATCH" and not is_old(asked.ids[0]) else Said(body=_first(asked))

    return answer


def _first(asked: Asked) -> dict[str, Any]:
    return {"id": asked.ids[0]}


def hubspot_records(asked: Asked) -> Said:
    if not asked.path.endswith("/search"):
        return Said(body=_first(asked))
    found = [{"id": one} for one in asked.ids if is_old(one)] if "deals" in asked.path else [{"id": "88"}]
    return Said(body={"total": len(found), "results": found})


def hubspot_definitions() -> World:
    """Knows an event once it is defined, and a property once it is created."""
    known: dict[str, list[dict[str, Any]]] = {}

    def answer(asked: Asked) -> Said:
        if asked.method == "GET" and not known:
            return Said(404)
        if asked.path.endswith("/event-definitions"):
            known["tested"] = []  # its properties are still to come
        if asked.path.endswith("/property"):
            known["tested"].append(asked.json)
        return Said(
            body={"name": "tested", "fullyQualifiedName": "pe1_tested", "properties": known.get("tested", [])}
        )

    return answer


def hubspot_objects() -> World:
    properties: list[Any] = []

    def answer(asked: Asked) -> Said:
        if "/properties/" in asked.path:
            properties.extend(asked.json["inputs"] if asked.method == "POST" else ())
            return Said(body={"results": properties})
        if "/associations/" in asked.path:
            return Said(201, {"results": []})
        inputs = asked.json["inputs"]
        found = [{"id": one["id"], "properties": {one["idProperty"]: one["id"]}} for one in inputs]
        return Said(body={"results": found})

    return answer


# salesforce


def salesforce_records(asked: Asked) -> Said:
    if asked.method == "PATCH":
        return Said(204, "")
    if asked.method == "POST":
        return Said(201, {"id": asked.ids[0], "success": True})
    found = [{"Id": one} for one in asked.ids if is_old(one)]
    assert "Email = '" in unquote(asked.path)
    return Said(body={"totalSize": len(found), "records": found})


def salesforce_bulk() -> World:
    """Rows arrive with the job they are in, when that is handed over."""
    jobs: dict[str, frozenset[str]] = {}
    numbers: Iterator[int] = count(1)

    def answer(asked: Asked) -> Said:
        if asked.path.endswith(("/ingest", "/Lead")):
            taken = None if asked.path.endswith("/Lead") else NOT_TAKEN
            return Said(201, {"id": f"750{next(numbers)}"}, taken=taken)
        job = asked.path.split("/ingest/")[1].removesuffix("/batches")
        if asked.method == "PUT":
            jobs[job] = frozenset(asked.ids)
            return Said(201, "", taken=NOT_TAKEN)
        is_handed_over = asked.method == "PATCH" and asked.json["state"] == "UploadComplete"
        return Said(body={"id": job, "state": "Open"}, taken=jobs[job] if is_handed_over else NOT_TAKEN)

    return answer
