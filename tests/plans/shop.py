"""What a shop sends: realistic traffic, the same at every run."""

import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]


def shop_events(count: int, seed: int = 1) -> Iterator[Json]:
    """Events as admission makes them."""
    r = random.Random(seed)
    kinds: list[tuple[int, Callable[[random.Random, int], Json]]] = [
        (35, _page),
        (20, _product_viewed),
        (15, _product_added),
        (10, _order_completed),
        (10, _identify),
        (3, _group),
        (4, _screen),
        (3, _cart_viewed),
    ]
    weights = [weight for weight, _ in kinds]
    for number in range(count):
        ((_, make),) = r.choices(kinds, weights)
        yield {"messageId": f"m{number}", "userId": f"u{r.randrange(500)}", "context": {}} | make(r, number)


def _product(r: random.Random) -> Json:
    product = {
        "product_id": str(uuid.UUID(int=r.getrandbits(128))),
        "sku": f"G-{r.randrange(99)}",
        "name": r.choice(["Monopoly: 3rd Edition", "Uno", "Catan"]),
        "price": r.choice([19, 20, 12.5, 7]),
        "quantity": r.randrange(1, 4),
        "category": r.choice(["Games", "Toys"]),
        "image_url": f"https://www.example.com/p/{r.randrange(99)}.jpg",
    }
    return product | ({"coupon": "MAY"} if r.random() < 0.3 else {})


def _page(r: random.Random, _: int) -> Json:
    properties = {
        "path": "/a",
        "url": "https://www.example.com/a",
        "title": "A",
        "search": "",
        "referrer": "",
    }
    return {"type": "page", "name": r.choice(["Home", "Cart"]), "properties": properties}


def _product_viewed(r: random.Random, _: int) -> Json:
    more = {"currency": "USD", "position": r.randrange(30)}
    return {"type": "track", "event": "Product Viewed", "properties": _product(r) | more}


def _product_added(r: random.Random, _: int) -> Json:
    cart = {"cart_id": f"c{r.randrange(10**6)}"}
    return {"type": "track", "event": "Product Added", "properties": _product(r) | cart}


def _order_completed(r: random.Random, number: int) -> Json:
    properties = {
        "order_id": f"o-{number}",
        "total": r.choice([20, 30]),
        "discount": r.choice([None, 2.5]),
        "coupon": r.choice([None, "hasbros"]),
        "currency": r.choice(["USD", "EUR"]),
        "payment_method": r.choice(["visa", "paypal", "invoice"]),
        "email": f"u{number}@example.com",
        "phone": "+49 89 1234567",
        "placed_at": "2026-11-24T08:45:32Z",
        "is_gift": r.random() < 0.2,
        "products": [_product(r) for _ in range(r.randrange(1, 4))],
    }
    return {"type": "track", "event": "Order Completed", "properties": properties}


def _identify(r: random.Random, number: int) -> Json:
    traits = {
        "email": f"u{number}@example.com",
        "first_name": r.choice(["Ann", "Bob"]),
        "plan": r.choice(["free", "pro", "enterprise"]),
        "address": {"city": "Ulm", "postal_code": "12345"},
    }
    return {"type": "identify", "traits": traits}


def _group(r: random.Random, _: int) -> Json:
    return {"type": "group", "groupId": "g", "traits": {"employees": r.randrange(400), "industry": "Tech"}}


def _screen(_: random.Random, __: int) -> Json:
    return {"type": "screen", "name": "Main", "properties": {"app_version": "1.2.3"}}


def _cart_viewed(r: random.Random, _: int) -> Json:
    cart = {str(r.randrange(10**5)): r.randrange(3) for _ in range(2)}
    properties = {"cart": cart, "tags": r.sample(["new", "sale", "hot"], 2)}
    return {"type": "track", "event": "Cart Viewed", "properties": properties}
