"""Who is meant, and their phone numbers: Klaviyo takes E.164 only."""

import re
from collections.abc import Mapping
from typing import Any

from relay.destinations.actions.fields import Field, Fields, either, path, record, text
from relay.destinations.errors import Refused
from relay.destinations.mapping.javascript import length

MAX_EXTERNAL_ID = 255  # characters, Klaviyo
_E164 = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)

_COUNTRIES = (  # ISO 3166-1 alpha-2, and Kosovo
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW"
    " BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI"
    " FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO"
    " IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF"
    " MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG"
    " PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX"
    " SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG VI VN VU WF WS XK"
    " YE YT ZA ZM ZW"
)
COUNTRY_CODE = text(
    "The country that phone numbers without a country code are of; they are then written in E.164.",
    choices=tuple(_COUNTRIES.split()),
)


def email(default: Any = path("$.context.traits.email")) -> Field:  # noqa: B008  a mapping is never changed
    return text("The person's address.", format="email", default=default)


def phone(default: Any = path("$.context.traits.phone")) -> Field:  # noqa: B008  likewise
    return text("The person's phone number, in E.164 unless there is a country code.", default=default)


def external_id(**more: Any) -> Field:
    return text("The person's id with you.", **more)


LIST_ID = text(
    "The list.",
    required=True,
    default=either("$.context.personas.audience_settings.listId", "$.context.personas.external_audience_id"),
)

_LOCATION: Fields = {
    name: text(about, allow_null=True)
    for name, about in {
        "address1": "Street and number.",
        "address2": "More of the address.",
        "city": "The city.",
        "region": "The state or region.",
        "zip": "The postal code.",
        "latitude": "Degrees north.",
        "longitude": "Degrees east.",
        "country": "The country.",
    }.items()
}


def about_person(at: str, properties: str) -> Fields:
    """The attributes of a profile, below `at` in an event."""
    address = f"{at}.address"
    return {
        "first_name": text("The first name.", default=path(f"{at}.firstName")),
        "last_name": text("The last name.", default=path(f"{at}.lastName")),
        "organization": text("The company.", default=path(f"{at}.company.name")),
        "title": text("The job title.", default=path(f"{at}.title")),
        "image": text("A picture.", default=path(f"{at}.avatar")),
        "location": record(
            "The address.",
            _LOCATION,
            default={
                "city": path(f"{address}.city"),
                "region": path(f"{address}.state"),
                "zip": path(f"{address}.postal_code"),
                "address1": path(f"{address}.street"),
                "country": path(f"{address}.country"),
            },
        ),
        "properties": record("Properties of your own.", default=path(properties)),
    }


def identified(profile: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """`profile` with its phone number in E.164, without the country. Raises Refused unless it has one of `names`."""
    made = {name: value for name, value in profile.items() if name not in ("phone_number", "country_code")}
    number = profile.get("phone_number")
    if number:
        made["phone_number"] = e164(number, profile.get("country_code"))
    if not any(made.get(name) for name in names):
        raise Refused(f"one of {', '.join(names)} is needed", fields=names)
    if "external_id" in names and length(made.get("external_id") or "") > MAX_EXTERNAL_ID:
        raise Refused(f"external_id is longer than {MAX_EXTERNAL_ID} characters", fields=("external_id",))
    return made


def e164(number: str, country: str | None) -> str:
    """A phone number as Klaviyo takes it. Raises Refused for what is none."""
    if _E164.fullmatch(number):
        return number
    written = _formatted(number, country) if country else None
    if written is None:
        why = (
            f"is no number of {country}"
            if country
            else "is not in E.164, and no country_code says how to read it"
        )
        raise Refused(f"phone_number {why}", fields=("phone_number",))
    return written


def _formatted(number: str, country: str) -> str | None:
    import phonenumbers  # noqa: PLC0415  its tables take long to load, and few need them

    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number_for_region(parsed, country):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
