"""The TypeScript that is written, by the judgement of its compiler: right calls are right, wrong ones are wrong."""

from pathlib import Path

import pytest

from tests.plans.codegen.compiler import Errors, compiled, packages
from tests.plans.codegen.written import (
    HERE,
    SHOP,
    for_browser,
    for_node,
    hostile_plan,
    many_plans,
    refused_lines,
)


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> Errors:
    """Of calls, what they call, and of the same for many other plans."""
    folder = tmp_path_factory.mktemp("tsc")
    for sdk, write in (("browser", for_browser), ("node", for_node)):
        (folder / f"{sdk}.ts").write_bytes((HERE / f"node/{sdk}.ts").read_bytes())
        (folder / f"shop.{sdk}.ts").write_text(write(SHOP), "utf-8")
        for number, raw in enumerate([hostile_plan(), *many_plans(60)]):
            (folder / f"plan-{number}.{sdk}.ts").write_text(write(raw), "utf-8")
    return compiled(folder, packages())


@pytest.mark.parametrize("sdk", ["browser", "node"])
def test_wrong_calls_are_refused_and_right_ones_are_not(sdk: str, errors: Errors) -> None:
    text = Path(HERE / f"node/{sdk}.ts").read_text("utf-8")
    assert sorted(errors[f"{sdk}.ts"]) == refused_lines(text)


def test_a_file_of_any_plan_is_right_by_itself(errors: Errors) -> None:
    assert errors.keys() == {"browser.ts", "node.ts"}
