"""Why an event went no further, in words: for the codes that relay and Segment use, and the statuses that vendors answer."""

from http import HTTPStatus

_SAID = {
    # at the door and at admission
    "bad_request": "it is not an event of the Segment spec",
    "payload_too_large": "it is larger than 32 KB, or its batch larger than 500 KB",
    "batch_too_long": "its batch had more than 2,500 events",
    "no_user_anon_id": "it has neither a userId nor an anonymousId",
    "missing_event": "a track call needs the name of an event",
    "event_not_string": "the name of the event is not a text",
    "properties_not_object": "its properties are not an object",
    "traits_not_object": "its traits are not an object",
    "name_not_string": "the name of the page or screen is not a text",
    "category_not_string": "the category of the page or screen is not a text",
    "id_required": "a group or alias call needs the id it is about",
    "id_not_string": "an id in it is neither a text nor a number",
    "unknown_source": "its write key belongs to no source",
    "source_disabled": "its source is switched off",
    "too_many_requests": "its source sends more than it may (rate_limit)",
    "invalid_request": "the request could not be read",
    "duplicate_message_id": "an event with this messageId was there before",
    "bot": "a crawler sent it, and the source does not keep those",
    "event_setting": "a transformation of its source drops it",
    # tracking plans
    "unplanned": "it is not in the tracking plan of its source",
    "schema_violation": "it breaks the rule of its event in the tracking plan",
    "common_schema_violation": "it breaks a common rule of the tracking plan",
    "unplanned_and_schema_violation": "it is not in the tracking plan, and breaks a common rule of it",
    # on the way to a destination
    "FILTERED_BY_RULES": "the destination's filter leaves it out",
    "FILTERED_BY_INTEGRATIONS_OBJECT": "its sender left this destination out in `integrations`",
    "FILTERED_BY_END_USER_CONSENT": "the person did not consent to what this destination needs",
    "MESSAGE_SENT_CLIENT_SIDE": "the browser has sent it there itself",
    "DEVICE_MODE_ONLY": "this destination gets events from browsers only",
    "NO_MATCHING_MAPPING": "no subscription of the destination asks for such an event",
    "UNSUPPORTED_EVENT_TYPE": "the destination takes no events of this type",
    "PAYLOAD_VALIDATION_FAILED": "what the mapping made of it lacks something that the vendor needs",
    "INVALID_SETTINGS": "the destination's settings are not what it needs",
    "INTERNAL": "relay could not make a request of it: a fault of relay's own, see its log",
    "RETENTION": "the log no longer had it when it could have been sent",
    "INVALID_REQUEST": "its request has a URL or a header that cannot be sent: see the settings",
    "BAD_RESPONSE": "the destination's answer could not be understood",
    "RETRY": "the vendor asked for another try",
    "(others)": "further reasons, too many to be told apart",
    # on the wire
    "ETIMEDOUT": "the destination did not answer in time",
    "ECONNREFUSED": "nothing listens where the destination should be",
    "ECONNRESET": "the destination closed the connection in the middle",
    "ECONNECT": "no connection to the destination came about",
    "ENOTFOUND": "the destination's host name is not known",
    "behind an earlier event of the same user": "an earlier event of the same user waits, and order is kept",
}


def words(reason: str | None) -> str:
    """A sentence without its full stop for a reason; "" when the code says it all."""
    if not reason:
        return ""
    if reason in _SAID:
        return _SAID[reason]
    if reason.isdecimal():
        try:
            return f"the destination answered {reason} {HTTPStatus(int(reason)).phrase}"
        except ValueError:
            return f"the destination answered {reason}"
    return ""
