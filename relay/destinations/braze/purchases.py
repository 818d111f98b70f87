"""Purchases: one object for each product of an order."""

from collections.abc import Callable, Sequence
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import integer, number, path, record, text
from relay.destinations.actions.fields import moment as moment_field
from relay.destinations.actions.parts import Parts
from relay.destinations.base import Steps
from relay.destinations.braze.users_track import (
    BATCH_SIZE,
    ENABLE_BATCHING,
    MAX_OBJECTS,
    Account,
    app,
    complaints,
    moment,
    raise_first,
    track,
)
from relay.destinations.braze.who import (
    ADD_OR_UPDATE,
    BRAZE_ID,
    EMAIL,
    EXTERNAL_ID,
    UPDATE_EXISTING_ONLY,
    USER_ALIAS,
    check_mode,
    only_existing,
    who,
)
from relay.destinations.errors import HttpError, Refused

_CURRENCY = "USD"  # of a product that names none, where the order is not asked

_PRODUCT = {
    "product_id": text("The product.", required=True),
    "currency": text("The currency of its price."),
    "price": number("What one costs.", required=True),
    "quantity": integer("How many."),
}

_FIELDS = {
    "external_id": EXTERNAL_ID,
    "user_alias": USER_ALIAS,
    "email": EMAIL,
    "braze_id": BRAZE_ID,
    "time": moment_field("When it was bought.", required=True, default=path("$.timestamp")),
    "products": record(
        "What was bought.",
        _PRODUCT,
        multiple=True,
        more=True,
        required=True,
        default=path("$.properties.products"),
    ),
    "currency": text(
        "The currency of products that name none; US dollars when there is none here either.",
        default=path("$.properties.currency"),
    ),
    "properties": record("What is known about the order.", default=path("$.properties")),
    "enable_batching": ENABLE_BATCHING,
    "batch_size": BATCH_SIZE,
}

# what Braze has a place for is not repeated among a profile's custom attributes: see profiles
RESERVED = (*(name for name in _FIELDS if name != "currency"), "_update_existing_only")


def _purchases(account: Account, call: Call, modes: tuple[str, ...]) -> list[dict[str, Any]]:
    payload = call.payload
    time = moment(payload["time"])
    shared = {
        **who(payload),
        **app(account),
        **({} if time is None else {"time": time}),
        **only_existing(call, modes),
    }
    currency = payload.get("currency") or _CURRENCY
    order = {key: value for key, value in (payload.get("properties") or {}).items() if key != "products"}
    return [{**shared, **_purchase(product, currency, order)} for product in payload["products"]]


def _purchase(product: dict[str, Any], currency: str, order: dict[str, Any]) -> dict[str, Any]:
    known = {name: product[name] for name in _PRODUCT if name in product}
    own = {key: value for key, value in product.items() if key not in _PRODUCT}
    return {"currency": currency, **known, "properties": {**own, **order}}


def _sender(modes: tuple[str, ...]) -> Callable[[Any, Call], Steps]:
    def perform(account: Account, call: Call) -> Steps:
        check_mode(call, modes)
        purchases = _purchases(account, call, modes)
        if purchases:
            raise_first((yield track(account, "purchases", purchases, is_batch=len(purchases) > 1)))

    return perform


def _batch_sender(modes: tuple[str, ...]) -> Callable[[Any, Sequence[Call]], Steps]:
    def perform_batch(account: Account, calls: Sequence[Call]) -> Steps:
        check_mode(calls[0], modes)
        parts = Parts.of(calls, lambda call: _batched(account, call, modes))
        purchases = [purchase for order in parts.made for purchase in order]
        if not purchases:
            return parts.results
        try:
            reply = yield track(account, "purchases", purchases, is_batch=len(purchases) > 1)
        except HttpError as error:
            return parts.failed(error)
        owners = [index for index, order in enumerate(parts.made) for _ in order]
        for index, complaint in complaints(reply).items():
            if 0 <= index < len(owners):
                parts.fail(owners[index], complaint)
        return parts.results

    return perform_batch


def _batched(account: Account, call: Call, modes: tuple[str, ...]) -> list[dict[str, Any]]:
    """The purchases of an order. Raises Refused for one without any, or with more than a request may hold."""
    purchases = _purchases(account, call, modes)
    if not purchases:
        raise Refused("products is empty", fields=("products",))
    if len(purchases) > MAX_OBJECTS:
        raise Refused(
            f"products are {len(purchases)}, and Braze takes {MAX_OBJECTS} in a request",
            "PAYLOAD_TOO_LARGE",
            status=413,
            fields=("products",),
        )
    return purchases


def _weight(call: Call) -> int:
    return max(1, len(call.payload["products"]))


TRACK_PURCHASE = Action(
    name="trackPurchase",
    title="Track purchase",
    about="A purchase for each product of an order.",
    fields={**_FIELDS, "_update_existing_only": UPDATE_EXISTING_ONLY},
    perform=_sender(()),
    perform_batch=_batch_sender(()),
    max_batch=MAX_OBJECTS,
    weight=_weight,
    keeps_empty_in_batches=True,
)

TRACK_PURCHASE_2 = Action(
    name="trackPurchase2",
    title="Track purchase, with a sync mode",
    about="A purchase for each product of an order, of people Braze knows or of anybody.",
    fields=_FIELDS,
    perform=_sender(ADD_OR_UPDATE),
    perform_batch=_batch_sender(ADD_OR_UPDATE),
    max_batch=MAX_OBJECTS,
    weight=_weight,
    keeps_empty_in_batches=True,
    sync_modes=ADD_OR_UPDATE,
)
