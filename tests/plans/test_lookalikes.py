"""Names that look like others."""

import pytest

from relay.plans.lookalikes import lookalikes


@pytest.mark.parametrize(
    ("rare", "common"),
    [
        ("order completed", "Order Completed"),
        ("OrderCompleted", "Order Completed"),
        ("order_completed", "Order Completed"),
        ("Order Complete", "Order Completed"),
        ("Order Complettd", "Order Completed"),
        ("Oredr Completed", "Order Completed"),
        ("Order  Completedd", "Order Completed"),
    ],
)
def test_a_rare_name_that_is_nearly_a_common_one(rare: str, common: str) -> None:
    assert list(lookalikes({rare: 1, common: 100})) == [(rare, common)]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Step 1 Viewed", "Step 2 Viewed"), ("Paid", "Said"), ("Order Completed", "Order Cancelled")],
)
def test_names_that_only_resemble_each_other(one: str, other: str) -> None:
    assert list(lookalikes({one: 1, other: 1000})) == []


def test_two_names_that_are_both_usual_are_both_meant() -> None:
    assert list(lookalikes({"Item Added": 500, "Items Added": 900})) == []
