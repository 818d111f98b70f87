"""Everything that docs/violations.md claims about its example, its limits and its metrics is so."""

from pathlib import Path
from typing import Any

import orjson

from relay import metrics
from relay.admission import violations
from relay.plans.controls import Controls
from tests.admission.house import house
from tests.admission.test_plans import take_up
from tests.admission.test_violations import at
from tests.admission.test_violations_shown import page
from tests.docs.pages import DOCS, blocks, read, section
from tests.log.records import NOON
from tests.plans.plans import about, plan

NAME = "violations.md"
((SHOWN,),) = [
    orjson.loads(block.text)["violations"] for block in blocks("json") if block.page == DOCS / NAME
]
SENT: dict[str, Any] = {
    "event": "Order Completed",
    "messageId": "ajs-next-17",
    "userId": "u1",
    "properties": {"price": "9.50", "quantity": 2, "gift": True, "coupon": None},
}


async def test_the_example_is_what_is_shown(tmp_path: Path) -> None:
    async with house(tmp_path / "a") as built:
        take_up(built, plan(("Order Completed", about(price={"type": "number"}))), Controls())
        await at(built, NOON, SENT)
        (found,) = await page(built)
    assert found.keys() == SHOWN.keys()
    assert all(found[key] == SHOWN[key] for key in ("event", "field", "type", "description"))
    (sample,), (shown,) = found["samples"], SHOWN["samples"]
    assert sample.keys() == shown.keys()
    assert {key: sample["event"][key] for key in shown["event"]} == shown["event"]


def test_the_limits_are_those_of_the_code() -> None:
    text = section(read(NAME), "What is counted")
    assert f"| groups of a source | {violations.MAX_GROUPS:,}; " in text
    assert f"`{violations.OTHERS}`" in text
    assert f"| events shown of a group | {violations.SAMPLES} |" in text
    assert f"field | {violations.MAX_NAME}; " in text
    assert f"| counts by the hour | {violations.KEPT_HOURS // 24} days |" in text


def test_the_metrics_have_the_labels_that_are_told() -> None:
    text = section(read(NAME), "Metrics")
    for metric in (metrics.VIOLATIONS, metrics.BLOCKED):
        labels = " and ".join(f"`{label}`" for label in metric._labelnames)
        assert f"| `{metric._name}_total` |" in text
        assert f"by {labels} |" in text
