"""Orders: an event for the order, then one for each of its products."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import boolean, path, record, text
from relay.destinations.actions.parts import Parts
from relay.destinations.base import Steps
from relay.destinations.klaviyo.api import Account, send
from relay.destinations.klaviyo.events import (
    MAX_EVENTS,
    WHO,
    about_event,
    bulk,
    event,
    of,
    profile,
    send_bulk,
)
from relay.destinations.klaviyo.people import identified

_ORDER = "Order Completed"
_PRODUCT = "Ordered Product"
_ACCEPTED = 202  # what Klaviyo answers for an event


def _complete(account: Account, call: Call) -> Steps:
    person = identified(call.payload["profile"], *WHO)
    reply = yield send(account, "POST", "/events/", _order(call.payload, profile=of(person)))
    if reply.status == _ACCEPTED:
        for made in _products(call, profile=of(person)):
            yield send(account, "POST", "/events/", made)


def _complete_batch(account: Account, calls: Sequence[Call]) -> Steps:
    return (yield from send_bulk(account, Parts.of(calls, _bulk)))


def _bulk(call: Call) -> dict[str, Any]:
    person = identified(call.payload["profile"], *WHO)
    return bulk(person, [_order(call.payload), *_products(call)])


def _weight(call: Call) -> int:
    return 1 + len(call.payload.get("products", ()))


def _order(payload: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return event(payload.get("event_name", _ORDER), payload, payload["properties"], **more)


def _products(call: Call, **more: Any) -> Iterable[dict[str, Any]]:
    """The products' events. Each has a key of its own, the same on every try."""
    payload = call.payload
    order = {key: value for key, value in payload["properties"].items() if key != "products"}
    for index, product in enumerate(payload.get("products", ())):
        key = str(uuid5(NAMESPACE_OID, f"{call.event.get('messageId')}/{index}"))
        of_product = {"unique_id": key, "time": payload.get("time")}
        yield event(payload.get("product_event_name", _PRODUCT), of_product, {**order, **product}, **more)


ORDER_COMPLETED = Action(
    name="orderCompleted",
    title="Order completed",
    about="An event for an order, and one for each product in it.",
    fields={
        "profile": profile(),
        **about_event(
            {
                "@if": {
                    "exists": path("$.properties.total"),
                    "then": path("$.properties.total"),
                    "else": path("$.properties.revenue"),
                }
            }
        ),
        "products": record("The products.", multiple=True, default=path("$.properties.products")),
        "event_name": text("The order's metric.", default=_ORDER),
        "product_event_name": text("The products' metric.", default=_PRODUCT),
        "enable_batching": boolean("Whether several orders may go in one job.", default=True),
    },
    perform=_complete,
    perform_batch=_complete_batch,
    batches_unasked=False,
    max_batch=MAX_EVENTS,
    weight=_weight,
)
