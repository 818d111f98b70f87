"""Makes calls of shop.json's module with Segment's SDK for Python. Arguments: the module's folder, the host, the key."""

import importlib
import sys
from datetime import UTC, datetime

from segment import analytics  # type: ignore[import-untyped]

folder, host, key = sys.argv[1:]
sys.path.insert(0, folder)
shop = importlib.import_module("shop")

errors: list[Exception] = []
by_client = shop.Tracker(analytics.Client(key, host=host, on_error=lambda error, _: errors.append(error)))
analytics.write_key, analytics.host = key, host
analytics.on_error = lambda error, _: errors.append(error)
by_module = shop.Tracker(analytics)
order = {
    "order_id": "o-1",
    "currency": "EUR",
    "products": [{"sku": "a", "quantity": 2, "unit price": 1.5}],
    "paid_at": datetime.now(UTC),
}
by_client.order_completed(user_id="u", properties=order, message_id="order", context={"ip": "192.0.2.1"})
by_client.order_completed_v2(
    user_id="u", properties={"id": 3}, message_id="order-2", context={"protocols": {"by": "hand"}}
)
by_module.cart_viewed(anonymous_id="a", message_id="cart")
by_module.page(user_id="u", name="Home", properties={"url": "/", "section": "top"}, message_id="page")
by_module.identify(user_id="u", traits={"email": "jane@example.com"}, message_id="identify")
by_module.group(user_id="u", group_id="g", traits={"name": "Acme"}, message_id="group")
analytics.shutdown()
by_client._analytics.shutdown()
sys.exit(bool(errors))
