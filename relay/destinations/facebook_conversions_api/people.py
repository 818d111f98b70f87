"""The `user_data` of an event: who it was, hashed; addresses of the browser and Meta's own ids stay plain."""

from collections.abc import Callable, Mapping
from typing import Any

from relay.destinations.actions.hashing import digits, has_hash, sha256, squeezed
from relay.destinations.facebook_conversions_api.codes import COUNTRIES, STATES

_GENDERS = {"male": "m", "female": "f"}
_PLAIN = {
    "client_ip_address": "client_ip_address",
    "client_user_agent": "client_user_agent",
    "fbc": "fbc",
    "fbp": "fbp",
    "subscriptionID": "subscription_id",
    "leadID": "lead_id",
    "anonId": "anon_id",
    "madId": "madid",
    "fbLoginID": "fb_login_id",
    "partner_id": "partner_id",
    "partner_name": "partner_name",
}


def user_data(person: Mapping[str, Any]) -> dict[str, Any]:
    """`person`: the field `user_data` of a payload."""
    made = {theirs: person[ours] for ours, theirs in _PLAIN.items() if ours in person}
    for ours, (theirs, clean) in _HASHED.items():
        if cleaned := clean(person.get(ours, "")):
            made[theirs] = sha256(cleaned, str)
    if ids := person.get("externalId"):
        made["external_id"] = [sha256(squeezed(one), str) for one in ids]
    return made


def _phone(value: str) -> str:
    return value if has_hash(value) else digits(value)


def _gender(value: str) -> str:
    cleaned = squeezed(value)
    return _GENDERS.get(cleaned, cleaned)


def _state(value: str) -> str:
    cleaned = squeezed(value)
    return STATES.get(cleaned, cleaned)


def _country(value: str) -> str:
    cleaned = squeezed(value)
    return COUNTRIES.get(cleaned, cleaned)


_HASHED: dict[str, tuple[str, Callable[[str], str]]] = {
    "email": ("em", squeezed),
    "phone": ("ph", _phone),
    "gender": ("ge", _gender),
    "dateOfBirth": ("db", str),
    "lastName": ("ln", squeezed),
    "firstName": ("fn", squeezed),
    "city": ("ct", squeezed),
    "state": ("st", _state),
    "zip": ("zp", squeezed),
    "country": ("country", _country),
}
