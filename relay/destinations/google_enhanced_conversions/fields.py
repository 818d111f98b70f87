"""The fields of the actions, and where their values come from."""

from typing import Any

from relay.destinations.actions.fields import Field, Fields, boolean, each, either, number, path, record, text

MAX_UPLOAD = 2000  # Google Ads API: conversions a request (TOO_MANY_CONVERSIONS_IN_REQUEST)
_CONSENTS = ("GRANTED", "DENIED", "UNSPECIFIED")
_ENVIRONMENTS = ("APP", "WEB", "UNSPECIFIED")
_ADJUSTMENTS = ("UNSPECIFIED", "UNKNOWN", "RETRACTION", "RESTATEMENT", "ENHANCEMENT")


def _trait(about: str, name: str) -> Field:
    """Of the event's properties, else of what is known of the person."""
    return text(about, default=either(f"$.properties.{name}", f"$.context.traits.{name}"))


_ORDER: dict[str, Any] = either("$.properties.orderId", "$.properties.order_id")
_ANY_ORDER: dict[str, Any] = {  # so that a repetition is known as one
    "@if": {
        "exists": path("$.properties.orderId"),
        "then": path("$.properties.orderId"),
        "else": either("$.properties.order_id", "$.messageId"),
    }
}

_ACTION: Fields = {"conversion_action": number("The id of the conversion action.", required=True)}
_BATCH: Fields = {
    "enable_batching": boolean("Whether several go in a request.", default=True),
    "batch_size": number("Conversions a request at most.", default=MAX_UPLOAD),
}
_CONSENT: Fields = {
    "ad_user_data_consent_state": text("Whether Google may use the person's data.", choices=_CONSENTS),
    "ad_personalization_consent_state": text("Whether advertising may be personal.", choices=_CONSENTS),
}
_PERSON: Fields = {
    "email_address": _trait("The person's address; hashed before it is sent.", "email"),
    "phone_country_code": text("The country code of numbers that have none; +1 without."),
    "phone_number": _trait("The person's phone number; hashed before it is sent.", "phone"),
}
_WORTH: Fields = {
    "value": number("What the conversion is worth.", default=path("$.properties.total")),
    "currency": text("The currency of the value, in ISO 4217.", default=path("$.properties.currency")),
}
_VARIABLES: Fields = {
    "custom_variables": record("Custom variables of the conversion, by their names in Google Ads."),
}
_WHEN = text("When it was; with a time zone.", required=True, default=path("$.timestamp"))
_SESSION: Fields = {
    "gad_source": text("Where the click came from."),
    "gad_campaignid": text("The campaign."),
    "landing_page_url": text("The first page of the visit."),
    "session_start_time_usec": text("When the visit began.", format="date-time"),
    "landing_page_referrer": text("The page before it."),
    "landing_page_user_agent": text("The browser."),
}
_ITEM: Fields = {
    "product_id": text("The product."),
    "quantity": number("How many."),
    "price": number("What one costs."),
}

CLICK: Fields = {
    **_ACTION,
    "gclid": text("The click's id.", default=path("$.properties.gclid")),
    "gbraid": text("The id of a click that led to an app on iOS.", default=path("$.properties.gbraid")),
    "wbraid": text("The id of a click on iOS that led to a website.", default=path("$.properties.wbraid")),
    "user_ip_address": text("The person's IP address.", default=path("$.context.ip")),
    "session_attributes_encoded": text(
        "What Google's script said of the visit, as it wrote it.",
        default=path("$.integrations.Google Ads Conversions.session_attributes_encoded"),
    ),
    "session_attributes_key_value_pairs": record(
        "The same, said by you.",
        _SESSION,
        default={
            "gad_source": path("$.properties.gad_source"),
            "gad_campaignid": path("$.properties.gad_campaignid"),
            "landing_page_url": path("$.context.page.url"),
            "session_start_time_usec": path("$.properties.session_start_time_usec"),
            "landing_page_referrer": path("$.context.page.referrer"),
            "landing_page_user_agent": path("$.context.userAgent"),
        },
    ),
    "conversion_timestamp": _WHEN,
    **_PERSON,
    "order_id": text("The order, or whatever tells this conversion from others.", default=_ANY_ORDER),
    **_WORTH,
    "conversion_environment": text(
        "Where it happened; for accounts that Google has allowed it.", choices=_ENVIRONMENTS
    ),
    "merchant_id": text("The Merchant Center account of the items."),
    "merchant_country_code": text("The country of its feed."),
    "merchant_language_code": text("The language of its feed."),
    "local_cost": number("What was taken off the whole order."),
    "items": record(
        "What was bought.",
        _ITEM,
        multiple=True,
        default=each(
            "$.properties.products",
            {"product_id": path("$.product_id"), "quantity": path("$.quantity"), "price": path("$.price")},
        ),
    ),
    **_VARIABLES,
    **_CONSENT,
    **_BATCH,
}

CALL: Fields = {
    **_ACTION,
    "caller_id": text("The number that called, in E.164.", required=True),
    "call_timestamp": text("When the call was; with a time zone.", required=True),
    "conversion_timestamp": _WHEN,
    **_WORTH,
    **_VARIABLES,
    **_CONSENT,
    **_BATCH,
}

ADJUSTMENT: Fields = {
    **_ACTION,
    "adjustment_type": text("What to do with the conversion.", choices=_ADJUSTMENTS, required=True),
    "adjustment_timestamp": text("When it was adjusted; now without.", default=path("$.timestamp")),
    "order_id": text("The order of the conversion.", default=_ORDER),
    "gclid": text("The click of the conversion, where it has no order."),
    "conversion_timestamp": text("When that conversion was; with a time zone."),
    "restatement_value": number("What it is worth now."),
    "restatement_currency_code": text("The currency of that, in ISO 4217."),
    **_PERSON,
    "first_name": _trait("The person's first name; hashed before it is sent.", "firstName"),
    "last_name": _trait("The person's last name; hashed before it is sent.", "lastName"),
    "city": _trait("Their city.", "address.city"),
    "state": _trait("Their state.", "address.state"),
    "country": _trait("Their country, by two letters.", "address.country"),
    "postal_code": _trait("Their postal code.", "address.postalCode"),
    "street_address": _trait("Their street; hashed before it is sent.", "address.street"),
    "user_agent": text("The browser of the conversion.", default=path("$.context.userAgent")),
    **_BATCH,
}
