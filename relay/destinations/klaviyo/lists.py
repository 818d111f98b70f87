"""Taking profiles off lists: they are looked up by their ids first, and removed by Klaviyo's own."""

from collections.abc import Generator, Sequence
from typing import Any
from urllib.parse import quote

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import boolean, integer, path, text
from relay.destinations.actions.parts import Parts
from relay.destinations.base import Request, Steps
from relay.destinations.errors import HttpError, Refused
from relay.destinations.klaviyo.api import API, Account, get, list_path, send
from relay.destinations.klaviyo.people import (
    COUNTRY_CODE,
    LIST_ID,
    MAX_EXTERNAL_ID,
    email,
    external_id,
    identified,
    phone,
)
from relay.destinations.klaviyo.profiles import WHO, batch_keys
from relay.destinations.reply import Reply

_MAX_PROFILES = 100  # the ids are part of a URL
_SAFE = "!$()*+,/:;=?@[]~"  # in the URL's query as it is: what Segment's requests leave so too
_BY = ("external_id", "email", "phone_number")  # looked up in this order
_ENDS_TEXT = frozenset('"\\')  # in a filter

Found = Generator[Request, Reply, list[str]]


def _remove(account: Account, call: Call) -> Steps:
    found = yield from _look_up(account, [_person(call)])
    if not found:
        raise Refused("no profile has these ids", "NOT_FOUND", fields=WHO)
    yield _removal(account, found, call.payload["list_id"])


def _remove_batch(account: Account, calls: Sequence[Call]) -> Steps:
    """Who is not found is not on the list."""
    parts = Parts.of(calls, _person)
    if not parts.made:
        return parts.results
    try:
        found = yield from _look_up(account, parts.made)
        if found:
            yield _removal(account, found, calls[0].payload["list_id"])
    except HttpError as error:
        return parts.failed(error)
    return parts.results


def _person(call: Call) -> dict[str, Any]:
    """The ids to look up. Raises Refused for one that would end its text, and find other people."""
    person = identified(call.payload, *WHO)
    wrong = tuple(name for name in _BY if not _ENDS_TEXT.isdisjoint(person.get(name, "")))
    if wrong:
        raise Refused(f"{' and '.join(wrong)} must be without quotation marks and backslashes", fields=wrong)
    return person


def _look_up(account: Account, people: Sequence[dict[str, Any]]) -> Found:
    """Klaviyo's ids of `people`, each once."""
    found: dict[str, None] = {}
    for name in _BY:
        values = [person[name] for person in people if person.get(name)]
        if values:
            found |= dict.fromkeys((yield from _pages(account, _filter(name, values))))
    return list(found)


def _filter(name: str, values: Sequence[str]) -> str:
    listed = '","'.join(values)
    written = f'any({name},["{listed}"])'
    return f"{API}/profiles/?filter={quote(written, safe=_SAFE)}"


def _pages(account: Account, url: str | None) -> Found:
    """The ids on a page and on those after it: Klaviyo puts 20 profiles on one."""
    ids: list[str] = []
    asked: set[str] = set()
    while url is not None:
        if url in asked:
            raise Refused("a page of Klaviyo's answer names itself as the next", "BAD_RESPONSE")
        asked.add(url)
        body = (yield get(account, url)).json()
        body = body if isinstance(body, dict) else {}
        ids += [one["id"] for one in body.get("data") or () if isinstance(one, dict) and one.get("id")]
        links = body.get("links")
        following = links.get("next") if isinstance(links, dict) else None
        url = following if isinstance(following, str) and following.startswith(API) else None
    return ids


def _removal(account: Account, ids: Sequence[str], list_id: str) -> Request:
    data = [{"type": "profile", "id": one} for one in ids]
    return send(account, "DELETE", list_path(list_id), data)


def _list(call: Call) -> Any:
    return call.get("list_id")


_BATCHED = {
    "enable_batching": boolean("Whether several profiles may go in one request.", default=True),
    "batch_size": integer("Profiles a request at most.", default=1000, minimum=100, maximum=1000),
    "batch_keys": batch_keys("list_id"),
}

REMOVE_PROFILE_FROM_LIST = Action(
    name="removeProfileFromList",
    title="Remove profile from list",
    about="A profile off the list of an audience.",
    fields={
        "email": email(),
        "external_id": external_id(maximum=MAX_EXTERNAL_ID),
        "list_id": LIST_ID,
        "phone_number": phone(),
        "country_code": COUNTRY_CODE,
        **_BATCHED,
    },
    perform=_remove,
    perform_batch=_remove_batch,
    max_batch=_MAX_PROFILES,
    keeps_empty_in_batches=True,
    batch_key=_list,
)

REMOVE_PROFILE = Action(
    name="removeProfile",
    title="Remove profile",
    about="A profile off a list.",
    fields={
        "email": email(path("$.traits.email")),
        "external_id": external_id(),
        "list_id": text("The list.", required=True),
        "phone_number": phone(path("$.traits.phone")),
        "country_code": COUNTRY_CODE,
        **_BATCHED,
    },
    perform=_remove,
    perform_batch=_remove_batch,
    max_batch=_MAX_PROFILES,
    keeps_empty_in_batches=True,
    batch_key=_list,
)
