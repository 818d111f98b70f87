"""Names in code: readable where they can be, each its own, and always the same."""

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.plans.codegen.names import camel, named, pascal, snake
from tests.plans.codegen.written import TEXTS


def name(*texts: str, reserved: tuple[str, ...] = ()) -> list[str]:
    return list(named({text: (text,) for text in texts}, snake, reserved, "event").values())


@pytest.mark.parametrize(
    ("text", "snaked", "cameled", "pascaled"),
    [
        ("Order Completed", "order_completed", "orderCompleted", "OrderCompleted"),
        ("orderCompleted", "order_completed", "orderCompleted", "OrderCompleted"),
        ("HTTPRequest  sent!", "http_request_sent", "httpRequestSent", "HttpRequestSent"),
        ("step2Done", "step2_done", "step2Done", "Step2Done"),
        ("2FA Enabled", "event_2fa_enabled", "event2faEnabled", "Event2faEnabled"),
        ("__proto__", "proto", "proto", "Proto"),
        ("Заказ оформлен", "заказ_оформлен", "заказОформлен", "ЗаказОформлен"),
        ("ﬁn", "fin", "fin", "Fin"),  # as Python reads it
        ("🦄", "event", "event", "Event"),
        ("", "event", "event", "Event"),
    ],
)
def test_a_text_in_each_style(text: str, snaked: str, cameled: str, pascaled: str) -> None:
    styles = (snake, camel, pascal)
    assert [named({"": (text,)}, style, (), "event")[""] for style in styles] == [snaked, cameled, pascaled]


def test_a_reserved_word_gets_a_line_behind_it() -> None:
    assert name("Class", "Order", reserved=tuple(keyword.kwlist)) == ["class_", "order"]


def test_of_two_that_would_be_the_same_neither_has_the_name() -> None:
    one, other, third = name("Order Completed", "order_completed", "Order Paid")
    assert (one[:16], other[:16], third) == ("order_completed_", "order_completed_", "order_paid")
    assert one != other
    assert name("order_completed", "Order Completed") == [other, one]


def test_a_name_is_not_longer_than_anyone_reads() -> None:
    one, other = name("x" * 300, "x" * 301)
    assert len(one) == len(other) == 85
    assert one != other


@given(st.lists(TEXTS, unique=True))
def test_each_has_its_own_whatever_the_order(texts: list[str]) -> None:
    names = name(*texts, reserved=tuple(keyword.kwlist))
    assert len(set(names)) == len(texts)
    assert all(one.isidentifier() and not keyword.iskeyword(one) for one in names)
    assert name(*texts[::-1], reserved=tuple(keyword.kwlist)) == names[::-1]
