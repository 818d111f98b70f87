"""A tracking plan from its file: read, checked and compiled in one go."""

from pathlib import Path
from typing import Any

from relay.body import decode
from relay.plans.compile import CompiledPlan, compile_plan
from relay.plans.shapes import read_plan

MAX_BYTES = 15_000_000  # Segment: of a plan that is imported


def load_plan(file: Path) -> tuple[CompiledPlan, list[str]]:
    """The plan, ready, and what is wrong with it: each mistake with its place in the file."""
    raw, trouble = read_file(file)
    if trouble:
        return CompiledPlan(read_plan({"rules": []})[0], ()), trouble
    plan, mistakes = read_plan(raw)
    compiled, more = compile_plan(plan)
    return compiled, mistakes + more


def read_file(file: Path) -> tuple[Any, list[str]]:
    """The JSON in `file`, and why there is none."""
    try:
        if file.stat().st_size > MAX_BYTES:
            return None, [f"has more than {MAX_BYTES:,} bytes"]
        return decode(file.read_bytes()), []
    except OSError as error:
        return None, [f"cannot be read: {error.strerror}"]
    except ValueError as error:
        return None, [f"not JSON: {error}"]
