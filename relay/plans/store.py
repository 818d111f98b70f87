"""The plans that an API made, each in a file of its own: `plans/rs_….json` beside relay.toml.

A file is replaced whole or not at all: written beside its place, brought to disk, and then renamed. So a relay that is
killed, and a person who reads along, find a plan as it was or as it is. These files may be kept in git, and edited by
hand while relay does not run.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from relay.body import decode
from relay.plans.compile import CompiledPlan, compile_plan
from relay.plans.files import MAX_BYTES
from relay.plans.rules import Plan
from relay.plans.shapes import read_plan
from relay.plans.stored import PLAN_TYPES, StoredPlan, file_form, file_of, resource_id

FOLDER = "plans"


class WrongPlan(Exception):
    """A plan that cannot be. `mistakes`: each with its place."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


class NoPlan(Exception):
    """There is no such plan, or its file cannot be read; the sentence says why."""


def plans_folder(config_file: Path | None, data_dir: Path) -> Path:
    """Beside relay.toml, which may be in git; without one, with the data."""
    return (data_dir if config_file is None else config_file.absolute().parent).resolve() / FOLDER


def ids(folder: Path) -> Iterator[str]:
    """The ids of the plans in `folder`, the oldest first."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  names, not paths
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if name.startswith("rs_") and name.endswith(".json") and resource_id(name[:-5]):
            yield name[:-5]


def read(folder: Path, plan_id: str) -> StoredPlan:
    """One plan. NoPlan when it is not there or broken."""
    file = file_of(folder, plan_id)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise NoPlan(f"{file} has more than {MAX_BYTES:,} bytes")
        raw = decode(file.read_bytes())
    except FileNotFoundError:
        raise NoPlan(f"there is no tracking plan {plan_id}") from None
    except OSError as error:
        raise NoPlan(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise NoPlan(f"{file} is not JSON: {error}") from None
    found, mistakes = read_plan(raw)
    if mistakes:
        raise NoPlan(f"{file} is no tracking plan: {mistakes[0]}")
    kind = raw.get("type")
    return StoredPlan(
        plan_id,
        found.name,
        found.rules,
        _text(raw, "description") or "",
        kind if kind in PLAN_TYPES else "LIVE",
        _text(raw, "create_time"),
        _text(raw, "update_time"),
    )


def _text(raw: dict[str, Any], name: str) -> str | None:
    value = raw.get(name)
    return value if isinstance(value, str) else None


def made_ready(plan: StoredPlan) -> tuple[bytes, CompiledPlan]:
    """The text of a plan's file, and the plan compiled. WrongPlan when it has mistakes: at the places of its rules."""
    form = file_form(plan)
    try:
        text = orjson.dumps(form, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # orjson writes 254 levels, and numbers of 64 bits
        raise WrongPlan("rules: nested too deeply, or with a number that is too large") from None
    if len(text) > MAX_BYTES:
        raise WrongPlan(f"rules: a plan has {MAX_BYTES:,} bytes at most")
    again = decode(text)
    found, mistakes = read_plan(again)
    compiled, more = compile_plan(Plan(found.name, found.id, plan.rules))
    if mistakes or more:
        raise WrongPlan(*mistakes, *more)
    if again != form:  # a number beyond a double is written as null
        raise WrongPlan("rules: with a number that is too large")
    return text, compiled


def write(folder: Path, plan_id: str, text: bytes) -> Path:
    """Keep a plan that was made ready. Returns its file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = file_of(folder, plan_id)
    write_whole(file, text)
    return file


def delete(folder: Path, plan_id: str) -> None:
    """Forget a plan."""
    file_of(folder, plan_id).unlink(missing_ok=True)
    _sync(folder)


def write_whole(file: Path, text: bytes) -> None:
    """Write `text` to `file` so that a crash leaves the old text or the new."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as beside:
            beside.write(text)
            beside.flush()
            os.fsync(beside.fileno())
        os.chmod(name, _mode_of(file))  # noqa: PTH101
        os.replace(name, file)  # noqa: PTH105
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync(file.parent)


def _mode_of(file: Path) -> int:
    """What a file has already; else who may read relay.toml's folder may read a plan."""
    try:
        return file.stat().st_mode & 0o777
    except FileNotFoundError:
        return 0o644


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
