"""Intercom: contacts, companies and events, by REST with a bearer token.

- identify: look the contact up (`external_id`, else `email`), then PUT it or POST a new one. The index that look-ups
  read is behind by seconds: a 409 of the POST means "there is one already, seen later", so the event is tried again.
- group: the same look-up, POST the company, POST the company to the contact.
- track: POST /events; `revenue` becomes `metadata.price` in hundredths.

10,000 calls a minute for an app, counted in spans of ten seconds, then 429. No batches; no key against repeated
events. Every flow begins with a look-up or is one request, so beginning anew after any step does no harm.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from typing import Any, ClassVar

from relay.destinations.actions import Action, Call, Preset, by_name
from relay.destinations.actions.dates import day_ms
from relay.destinations.actions.fields import boolean, moment, number, path, record, text
from relay.destinations.actions.requests import bare_request, json_request
from relay.destinations.base import Request, Steps
from relay.destinations.errors import Busy, HttpError, Refused
from relay.destinations.oauth import OAuth, OAuthDestination
from relay.destinations.reply import Reply

API = "https://api.intercom.io"
CONFLICT = 409
_DIGITS = re.compile(r"[0-9]+")
_PRICE = ("revenue", "currency")

Found = Generator[Request, Reply, str | None]


def _answer(reply: Reply) -> dict[str, Any]:
    body = reply.json()
    return body if isinstance(body, dict) else {}


def _seconds(value: Any) -> Any:
    """Unix seconds of a date in words; numbers, and texts of digits, are taken to be seconds already."""
    if not isinstance(value, str) or _DIGITS.fullmatch(value):
        return value
    ms = day_ms(value)
    return value if ms is None else ms // 1000


def _look_up(external_id: Any, email: Any) -> Found:
    """Intercom's id of the one contact that has this id, or this address; None when there is none or several."""
    field, value = ("external_id", external_id) if external_id else ("email", email)
    if not value:
        return None
    query = {"field": field, "operator": "=", "value": value}
    reply = _answer((yield json_request("POST", f"{API}/contacts/search", {"query": query})))
    found = reply.get("data")
    if reply.get("total_count") != 1 or not found:
        return None
    contact: str = found[0]["id"]
    return contact


def _identify(_: "Intercom", call: Call) -> Steps:
    contact = dict(call.payload)
    for name in ("signed_up_at", "last_seen_at"):
        if name in contact:
            contact[name] = _seconds(contact[name])
    try:
        found = yield from _look_up(call.get("external_id"), call.get("email"))
        if found is None:
            yield json_request("POST", f"{API}/contacts", contact)
    except HttpError as error:
        if error.status == CONFLICT:
            raise Busy("the contact exists, and cannot be found yet", "CONTACT_CONFLICT") from None
        raise
    if found is not None:
        yield json_request("PUT", f"{API}/contacts/{found}", contact)


def _group(_: "Intercom", call: Call) -> Steps:
    contact = yield from _look_up(call.get("external_id"), call.get("email"))
    company = {name: value for name, value in call.payload.items() if name not in _NOT_OF_COMPANY}
    if "created_at" in call.payload:
        company["remote_created_at"] = _seconds(call.payload["created_at"])
    reply = _answer((yield json_request("POST", f"{API}/companies", company)))
    if contact is not None:
        body = {"id": reply["id"]} if "id" in reply else {}
        yield json_request("POST", f"{API}/contacts/{contact}/companies", body)


_NOT_OF_COMPANY = frozenset(("external_id", "email", "created_at"))


def _track(_: "Intercom", call: Call) -> Steps:
    event = {name: value for name, value in call.payload.items() if name not in _PRICE}
    event["created_at"] = _seconds(event["created_at"])
    metadata = _metadata(call)
    if metadata is not None:
        event["metadata"] = metadata
    if event.get("email") and not event.get("user_id") and not event.get("id"):
        contact = yield from _look_up(None, event["email"])
        if contact is None:
            raise Refused("no contact has this email", "CONTACT_NOT_FOUND", status=404, fields=("email",))
        event["id"] = contact
    yield json_request("POST", f"{API}/events", event)


def _metadata(call: Call) -> dict[str, Any] | None:
    """The event's own values, with its revenue as Intercom's price."""
    given = call.get("metadata")
    kept = {k: v for k, v in (given or {}).items() if k != "email" and k not in _PRICE}
    revenue = call.get("revenue")
    if revenue is None:
        return None if given is None else kept
    return kept | {"price": {"amount": revenue * 100, "currency": call.get("currency") or "USD"}}


IDENTIFY = Action(
    name="identifyContact",
    title="Identify Contact",
    about="Creates or updates a contact.",
    fields={
        "role": text("What the contact is.", required=True, choices=("lead", "user"), default="user"),
        "external_id": text("Your own id of the contact; a lead has none.", default=path("$.userId")),
        "email": text("The contact's address.", default=path("$.traits.email"), format="email"),
        "phone": text("The contact's phone number.", default=path("$.traits.phone")),
        "name": text("The contact's name.", default=path("$.traits.name")),
        "avatar": text("The URL of a picture.", default=path("$.traits.avatar"), format="uri"),
        "signed_up_at": moment("When the contact signed up.", default=path("$.traits.createdAt")),
        "last_seen_at": moment("When the contact was last seen.", default=path("$.timestamp")),
        "owner_id": number("The id of the teammate who looks after the contact."),
        "unsubscribed_from_emails": boolean("Whether the contact wants no email."),
        "custom_attributes": record("Attributes of your own; Intercom must know them already."),
    },
    perform=_identify,
)
GROUP = Action(
    name="groupIdentifyContact",
    title="Identify Company",
    about="Creates or updates a company, and adds the contact to it.",
    fields={
        "created_at": moment(
            "When the company came to be, written in any way; sent as `remote_created_at` in seconds.",
            default=path("$.traits.createdAt"),
        ),
        "remote_created_at": moment("The same, sent as it is."),
        "external_id": text("Your own id of the contact.", default=path("$.userId")),
        "email": text("The contact's address.", default=path("$.traits.email"), format="email"),
        "company_id": text("Your own id of the company.", required=True, default=path("$.groupId")),
        "contact_id": text("Intercom's id of the contact."),
        "name": text("The company's name.", default=path("$.traits.name")),
        "monthly_spend": number("What it spends a month.", default=path("$.traits.monthly_spend")),
        "plan": text("Its plan.", default=path("$.traits.plan")),
        "size": number("How many people work there.", default=path("$.traits.employees")),
        "website": text("Its website.", default=path("$.traits.website")),
        "industry": text("What it does.", default=path("$.traits.industry")),
        "custom_attributes": record("Attributes of your own; Intercom must know them already."),
    },
    perform=_group,
)
TRACK = Action(
    name="trackEvent",
    title="Track Event",
    about="Records an event of a contact.",
    fields={
        "event_name": text("What happened.", required=True, default=path("$.event")),
        "created_at": moment("When it happened.", required=True, default=path("$.timestamp")),
        "user_id": text("Your own id of the contact.", default=path("$.userId")),
        "email": text("The contact's address.", default=path("$.properties.email"), format="email"),
        "revenue": number("What was paid, in whole units.", default=path("$.properties.revenue")),
        "currency": text("In which currency; USD when not said.", default=path("$.properties.currency")),
        "id": text("Intercom's id of the contact."),
        "metadata": record("What else is known of it.", default=path("$.properties")),
    },
    perform=_track,
)


class Intercom(OAuthDestination, frozen=True):
    """Settings of `type = "intercom"`."""

    title: ClassVar[str] = "Intercom Cloud Mode (Actions)"
    also_called: ClassVar[tuple[str, ...]] = ("Intercom",)
    summary: ClassVar[str] = "Contacts, companies and events in Intercom."
    default_endpoint: ClassVar[str | None] = API
    actions: ClassVar[Mapping[str, Action]] = by_name(IDENTIFY, GROUP, TRACK)
    presets: ClassVar[Sequence[Preset]] = (
        Preset("Identify Contact", "identifyContact", 'type = "identify"'),
        Preset("Identify Company", "groupIdentifyContact", 'type = "group"'),
        Preset(
            "Track Event", "trackEvent", 'type = "track" and (userId != null or properties.email != null)'
        ),
    )
    differences: ClassVar[Sequence[str]] = (
        (
            "By default contacts are of role `user`, with `signed_up_at` from `traits.createdAt`;"
            " Segment asks for the role and sends no date."
        ),
        "By default a company's `traits.createdAt` is sent in seconds, the only form that Intercom reads.",
        "By default a track event without `userId` and `properties.email` is not sent, for Intercom refuses it.",
    )
    notes: ClassVar[Sequence[str]] = (
        (
            "The access token of an app in your own workspace is enough: put it in `oauth.access_token`."
            " It does not run out, and needs neither client id nor secret."
        ),
        "A login comes back to an https address only: give `relay destinations login` one with `--redirect-uri`.",
        (
            'Workspaces in Europe and Australia: `endpoint = "https://api.eu.intercom.io"` or'
            ' `"https://api.au.intercom.io"`.'
        ),
        (
            "10,000 calls a minute for an app and 25,000 for a workspace, counted in spans of ten seconds; an"
            " identify costs two, a group up to three."
        ),
        "Look-ups lag behind by seconds: events of somebody just created may have to be tried again.",
        "Intercom keeps no nested metadata, and no custom attribute that it does not know.",
        "Intercom has no key against repeated events: one that it took without its answer coming back counts twice.",
    )
    oauth_at: ClassVar[OAuth] = OAuth(
        authorize_url="https://app.intercom.com/oauth",
        token_url=f"{API}/auth/eagle/token",
        scopes=(),  # those of the app, as its owner ticked them
    )

    def check(self) -> Steps:
        """Whose token it is."""
        yield bare_request("GET", f"{API}/me")
