"""The Python that is written, by the judgement of mypy: right calls are right, wrong ones are wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plans.codegen.written import HERE, SHOP, hostile_plan, in_python, many_plans, refused_lines

MYPY_SECONDS = 110
# what is looked at along with the real SDK, which has no types
CONFIG = """
[mypy]
strict = true
[mypy-segment.*]
follow_untyped_imports = true
[mypy-backoff.*,dateutil.*,jwt.*,requests.*]
ignore_missing_imports = true
"""
CALLS = (HERE / "calls_python.txt").read_text("utf-8")


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[int, str]]:
    """What mypy says about each file, by line: of calls, their module, and modules of many other plans."""
    folder = tmp_path_factory.mktemp("mypy")
    (folder / "mypy.ini").write_text(CONFIG)
    (folder / "calls.py").write_text(CALLS, "utf-8")
    (folder / "shop.py").write_text(in_python(SHOP), "utf-8")
    for number, raw in enumerate([hostile_plan(), *many_plans(60)]):
        (folder / f"plan_{number}.py").write_text(in_python(raw), "utf-8")
    return _checked(folder)


def _checked(folder: Path) -> dict[str, dict[int, str]]:
    options = (
        "--config-file",
        "mypy.ini",
        "--cache-dir",
        "cache",
        "--hide-error-context",
        "--no-error-summary",
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *(path.name for path in folder.glob("*.py"))],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=MYPY_SECONDS,
    )
    assert done.returncode == 1, done.stderr
    found: dict[str, dict[int, str]] = {}
    for name, line, said in re.findall(r"^(\S+):(\d+): error: (.*)$", done.stdout, re.MULTILINE):
        found.setdefault(name, {})[int(line)] = said
    return found


def test_wrong_calls_are_refused_and_right_ones_are_not(errors: dict[str, dict[int, str]]) -> None:
    assert sorted(errors["calls.py"]) == refused_lines(CALLS)


def test_a_module_of_any_plan_is_right_by_itself(errors: dict[str, dict[int, str]]) -> None:
    assert errors.keys() == {"calls.py"}
