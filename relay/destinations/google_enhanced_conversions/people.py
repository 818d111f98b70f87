"""How a person is written so that Google can find them: hashes of a mail address, a phone number, a name."""

from collections.abc import Mapping
from typing import Any

from relay.destinations.actions.formats import is_email
from relay.destinations.actions.hashing import digits, has_hash, sha256
from relay.destinations.errors import Refused
from relay.destinations.mapping.javascript import WHITESPACE_AND_LINES

_GMAIL = frozenset(("gmail.com", "googlemail.com"))  # dots in the name mean nothing there
_DEFAULT_COUNTRY = "+1"
_HASHED = {
    "first_name": "hashedFirstName",
    "last_name": "hashedLastName",
    "street_address": "hashedStreetAddress",
}
_PLAIN = {"city": "city", "state": "state", "country": "countryCode", "postal_code": "postalCode"}


def identifiers(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`userIdentifiers` of mail address and phone number. Raises `Refused`."""
    found: list[dict[str, Any]] = []
    if payload.get("email_address"):
        found.append({"hashedEmail": sha256(payload["email_address"], _mail)})
    if payload.get("phone_number"):
        country = payload.get("phone_country_code", _DEFAULT_COUNTRY)
        found.append(
            {"hashedPhoneNumber": sha256(payload["phone_number"], lambda number: _phone(number, country))}
        )
    return found


def address(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The `userIdentifiers` of name and address: one, or none."""
    if not any(payload.get(name) for name in (*_HASHED, *_PLAIN)):
        return []
    info = {key: sha256(payload[name], str) for name, key in _HASHED.items() if payload.get(name)}
    plain = {key: payload[name] for name, key in _PLAIN.items() if name in payload}
    return [{"addressInfo": {**info, **plain}}]


def _mail(value: str) -> str:
    clean = value.lower().strip(WHITESPACE_AND_LINES)
    name, *hosts = clean.split("@")
    if len(hosts) == 1 and hosts[0] in _GMAIL:
        clean = f"{name.replace('.', '')}@{hosts[0]}"
    if not is_email(clean):
        raise Refused("email_address must be a valid email address", fields=("email_address",))
    return clean


def _phone(value: str, country: str) -> str:
    """In E.164."""
    if has_hash(value):
        return value
    number, code = digits(value), digits(country)
    return "+" + (number if number.startswith(code) else code + number)
