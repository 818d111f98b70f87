"""Everything that docs/plan-as-code.md shows is so: what is typed is run, and numbers are those of the code."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from relay.cli import relay
from relay.plans import csv_plan, gathering, infer, looks
from tests.docs.pages import DOCS, Block, blocks, commands, read, section

NAME = "plan-as-code.md"
PAGE = read(NAME)
SESSIONS = [block for block in blocks("console") if block.page == DOCS / NAME and "$ cat " in block.text]


def test_the_commands_print_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    codes = [_run(words, shown) for session in SESSIONS for words, shown in _typed(session)]
    assert [code for code in codes if code is not None] == [0, 0, 1, 0, 0]


def _typed(block: Block) -> list[tuple[list[str], str]]:
    """What is typed, as words, and what is printed."""
    printed = re.split(r"^\$ .*\n", block.text, flags=re.MULTILINE)[1:]
    return [(words, shown) for (_, words), shown in zip(commands(block), printed, strict=True)]


def _run(words: list[str], shown: str) -> int | None:
    if words[0] == "cat":
        Path(words[1]).write_text(shown, "utf-8")
        return None
    result = CliRunner().invoke(relay, words[1:])
    assert result.output == shown, words
    return result.exit_code


def test_the_steps_of_ci_are_commands() -> None:
    (workflow,) = [block for block in blocks("yaml") if block.page == DOCS / NAME]
    steps = re.findall(r"- run: relay (.*)", workflow.text)
    assert len(steps) == 2
    for step in steps:
        _parse(shlex.split(step))


def _parse(words: list[str]) -> None:
    command: click.Command = relay
    context = click.Context(relay, info_name="relay", **relay.context_settings)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    command.make_context("relay", words, parent=context)


def test_the_numbers_are_those_of_the_code() -> None:
    text = section(PAGE, "A plan from what arrives")
    for shown in (
        f"{infer.MAX_EVENTS:,} at most",
        f"at least {infer.ENOUGH} events",
        f"less than {infer.ODD:.0%} of".replace("%", " %"),
        f"2 to {looks.MAX_CHOICES} texts, each seen {looks.EACH_CHOICE} times and together {looks.ALL_CHOICES} times",
        f"at least {looks.FORMAT_FROM} texts",
        f"{gathering.MAX_DEPTH} names deep, {gathering.MAX_NAMES} names an object",
    ):
        assert shown in text
    assert (infer.MISSING, csv_plan.MAX_ROWS) == (1 / 1000, 100_000)
    assert [name for name, _ in looks.FORMATS if f"`{name}`" not in text] == []


def test_every_column_is_explained() -> None:
    table = section(PAGE, "A plan that Segment keeps")
    shown = re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", table, re.MULTILINE)
    assert len(shown) == len(csv_plan._HEADERS)
    for row in shown:
        fields = {
            csv_plan._WORDS["".join(filter(str.isalnum, name.lower()))]
            for name in re.findall("`(.*?)`", " ".join(row))
        }
        assert len(fields) == 1, row
