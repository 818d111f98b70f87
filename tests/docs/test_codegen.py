"""The examples of docs/codegen.md: what is written from its plan is what it shows, and its calls are right."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest
from segment import analytics  # type: ignore[import-untyped]

from tests.docs.pages import DOCS, blocks
from tests.plans.codegen.compiler import compiled, packages
from tests.plans.codegen.written import for_browser, for_node, in_python

PAGE = DOCS / "codegen.md"
(PLAN,) = [orjson.loads(block.text) for block in blocks("json") if block.page == PAGE]
CALLS, TYPE = [block.text for block in blocks("python") if block.page == PAGE]
BROWSER, NODE = [block.text for block in blocks("js") if block.page == PAGE]


def test_the_type_is_the_one_that_is_written() -> None:
    assert f"\n\n{TYPE}\n\n" in in_python(PLAN)


class Keeping(analytics.Client):  # type: ignore[misc]
    """A client that keeps what it would send."""

    def __init__(self) -> None:
        super().__init__("key", send=False)
        self.kept: list[dict[str, Any]] = []

    def _enqueue(self, msg: dict[str, Any]) -> Any:
        self.kept.append(msg)
        return super()._enqueue(msg)


def test_the_python_calls_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = ModuleType("shop")
    exec(in_python(PLAN), vars(shop))
    monkeypatch.setitem(sys.modules, "shop", shop)
    for name in ("write_key", "host"):
        monkeypatch.setattr(analytics, name, None)
    client = Keeping()
    monkeypatch.setattr(analytics, "default_client", client)
    exec(CALLS, {})
    assert [(one["type"], one.get("event")) for one in client.kept] == [
        ("identify", None),
        ("track", "Order Completed"),
    ]


def test_the_javascript_calls_are_typescript(tmp_path: Path) -> None:
    for name, calls, text in (("browser", BROWSER, for_browser(PLAN)), ("node", NODE, for_node(PLAN))):
        (tmp_path / f"{name}.ts").write_text(calls.replace("./shop", f"./shop-{name}"), "utf-8")
        (tmp_path / f"shop-{name}.ts").write_text(text, "utf-8")
    assert compiled(tmp_path, packages()) == {}
