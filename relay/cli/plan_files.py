"""Tracking plans that commands write and read."""

import json
from pathlib import Path
from typing import Any

from relay.cli.client import CannotDo
from relay.cli.printing import plain
from relay.plans.compile import compile_plan
from relay.plans.files import read_file
from relay.plans.shapes import read_plan
from relay.plans.store import write_whole


def read_raw_plan(file: Path) -> Any:
    """The JSON of a plan in any shape. Raises CannotDo when it has mistakes."""
    raw, mistakes = read_file(file)
    mistakes = mistakes or _mistakes(raw)
    if mistakes:
        raise CannotDo("\n".join(plain(f"{file}: {mistake}") for mistake in mistakes))
    return raw


def write_plan(file: Path, plan: Any) -> None:
    """Write `plan` as people read it. Raises CannotDo, and leaves the file as it is, if it is no plan."""
    mistakes = _mistakes(plan)
    if mistakes:
        raise CannotDo("\n".join(plain(f"{file} was not written: {mistake}") for mistake in mistakes))
    try:
        write_whole(file, as_text(plan).encode())
    except OSError as error:
        raise CannotDo(f"{file}: cannot be written: {error.strerror}") from None


def _mistakes(raw: Any) -> list[str]:
    read, mistakes = read_plan(raw)
    return mistakes + compile_plan(read)[1]


def as_text(plan: Any) -> str:
    return json.dumps(plan, indent=2, ensure_ascii=False) + "\n"
