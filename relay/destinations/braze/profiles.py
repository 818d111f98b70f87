"""Profiles: attributes that Braze knows, and those of your own."""

from collections.abc import Mapping
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import Fields, boolean, integer, number, path, record, text
from relay.destinations.actions.fields import moment as moment_field
from relay.destinations.braze.purchases import RESERVED
from relay.destinations.braze.users_track import (
    BATCH_SIZE,
    ENABLE_BATCHING,
    MAX_OBJECTS,
    Account,
    Make,
    batch_sender,
    moment,
    sender,
)
from relay.destinations.braze.who import (
    EXTERNAL_ID,
    UPDATE_EXISTING_ONLY,
    USER_ALIAS,
    only_existing,
    who,
)

_FACEBOOK = {
    "id": text("The person's id there."),
    "likes": text("What the person likes.", multiple=True),
    "num_friends": integer("How many friends."),
}
_TWITTER = {
    "id": text("The person's id there."),
    "screen_name": text("The person's name there."),
    "followers_count": integer("How many followers."),
    "friends_count": integer("How many are followed."),
    "statuses_count": integer("How many posts."),
}
_PUSH_TOKEN = {
    "app_id": text("The app it is for.", required=True),
    "token": text("The token.", required=True),
    "device_id": text("The device it is for."),
}
_SUBSCRIPTION_GROUP = {
    "subscription_group_id": text("The group.", required=True),
    "subscription_state": text(
        "Whether the person is in it.", required=True, choices=("subscribed", "unsubscribed")
    ),
}

# attributes that are sent as they are
_PLAIN: Fields = {
    "country": text("The country.", allow_null=True, default=path("$.context.location.country")),
    "email": text("The address.", allow_null=True, default=path("$.traits.email")),
    "email_subscribe": text("Consent to email: opted_in, subscribed or unsubscribed."),
    "email_open_tracking_disabled": boolean("Whether opened emails are not counted."),
    "email_click_tracking_disabled": boolean("Whether clicks in emails are not counted."),
    "facebook": record("What is known from Facebook.", _FACEBOOK),
    "first_name": text("The first name.", allow_null=True, default=path("$.traits.firstName")),
    "home_city": text("The city.", allow_null=True, default=path("$.traits.address.city")),
    "image_url": text("A picture.", allow_null=True, format="uri", default=path("$.traits.avatar")),
    "language": text("The language, ISO 639-1.", allow_null=True),
    "last_name": text("The last name.", default=path("$.traits.lastName")),
    "phone": text("The phone number.", allow_null=True, default=path("$.traits.phone")),
    "push_subscribe": text("Consent to push messages: opted_in, subscribed or unsubscribed."),
    "push_tokens": record("Tokens for push messages.", _PUSH_TOKEN, multiple=True),
    "time_zone": text("The time zone, by its IANA name."),
    "twitter": record("What is known from Twitter.", _TWITTER),
}
_MOMENTS: Fields = {
    "date_of_first_session": moment_field("When the person first used the app.", allow_null=True),
    "date_of_last_session": moment_field("When the person last used the app.", allow_null=True),
    "marked_email_as_spam_at": moment_field("When the person called an email spam.", allow_null=True),
}
_FIELDS: Fields = {
    "external_id": EXTERNAL_ID,
    "user_alias": USER_ALIAS,
    "braze_id": text("The person's id with Braze.", allow_null=True, default=path("$.traits.braze_id")),
    **_PLAIN,
    **_MOMENTS,
    "dob": moment_field("The day of birth.", allow_null=True),
    "gender": text(
        "M, F, O (other), N (not applicable) or P (not said); words are understood.",
        allow_null=True,
        default=path("$.traits.gender"),
    ),
    "current_location": record(
        "Where the person is.",
        {"latitude": number("Degrees north."), "longitude": number("Degrees east.")},
        allow_null=True,
        default={
            "latitude": path("$.context.location.latitude"),
            "longitude": path("$.context.location.longitude"),
        },
    ),
    "subscription_groups": record("Subscription groups.", _SUBSCRIPTION_GROUP, multiple=True),
    "custom_attributes": record("Attributes of your own.", default=path("$.traits")),
    "enable_batching": ENABLE_BATCHING,
    "batch_size": BATCH_SIZE,
}

_GENDERS = {
    word: letter
    for letter, words in {
        "M": ("man", "male", "m"),
        "F": ("woman", "female", "w", "f"),
        "O": ("other", "o"),
        "N": ("not applicable", "n"),
        "P": ("prefer not to say", "p"),
    }.items()
    for word in words
}
_DAY = len("2026-03-02")

# of custom attributes: what has a place of its own, and the words of the Segment spec for it
_NOT_CUSTOM = frozenset((*RESERVED, "firstName", "lastName", "avatar"))
_KNOWN = frozenset(
    ("external_id", "user_alias", "braze_id", "dob", "gender", "current_location")
) | frozenset((*_PLAIN, *_MOMENTS, "_update_existing_only"))


def _made(modes: tuple[str, ...]) -> Make:
    def make(_: Account, call: Call) -> dict[str, Any]:
        payload = call.payload
        return {
            **_custom(payload.get("custom_attributes") or {}),
            **{name: payload[name] for name in _PLAIN if name in payload},
            **_formatted(payload),
            **({"subscription_groups": groups} if (groups := payload.get("subscription_groups")) else {}),
            **who(payload),
            **only_existing(call, modes),
        }

    return make


def _custom(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of one's own; one with the name of a known one gives way even when that is not set."""
    return {k: v for k, v in attributes.items() if k not in _NOT_CUSTOM and k not in _KNOWN}


def _formatted(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Those that Braze wants in a form of its own; null stays null, and what is no date goes."""
    made: dict[str, Any] = {name: _date(payload[name]) for name in (*_MOMENTS, "dob") if name in payload}
    if made.get("dob"):
        made["dob"] = made["dob"][:_DAY]
    if "gender" in payload:
        made["gender"] = _gender(payload["gender"])
    location = payload.get("current_location", {})
    if location is None or location:
        made["current_location"] = location
    return {name: value for name, value in made.items() if value is not None or payload[name] is None}


def _date(value: Any) -> str | None:
    return None if value is None else moment(value)


def _gender(value: str | None) -> str | None:
    return value and _GENDERS.get(value.lower(), value)


UPDATE_USER_PROFILE = Action(
    name="updateUserProfile",
    title="Update user profile",
    about="A person's attributes.",
    fields={**_FIELDS, "_update_existing_only": UPDATE_EXISTING_ONLY},
    perform=sender("attributes", _made(()), ()),
    perform_batch=batch_sender("attributes", _made(()), ()),
    max_batch=MAX_OBJECTS,
    keeps_empty_in_batches=True,
)

UPDATE_USER_PROFILE_2 = Action(
    name="updateUserProfile2",
    title="Update user profile, with a sync mode",
    about="The attributes of a person Braze knows.",
    fields=_FIELDS,
    perform=sender("attributes", _made(("update",)), ("update",)),
    perform_batch=batch_sender("attributes", _made(("update",)), ("update",)),
    max_batch=MAX_OBJECTS,
    keeps_empty_in_batches=True,
    sync_modes=("update",),
)
