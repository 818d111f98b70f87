"""Everything that docs/filters-and-mapping.md claims about its examples is so."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from click.testing import CliRunner

from relay.cli import relay
from relay.destinations.fql import FqlError, compile_filter, compile_subscription
from relay.destinations.fql.actions import AnyAction, Filter, compile_filters
from relay.destinations.fql.filters.functions import FUNCTIONS
from relay.destinations.fql.subscriptions import text_of
from relay.destinations.mapping import MappingError, compile_mapping
from relay.destinations.mapping.compiler import DIRECTIVES
from tests.docs.pages import DOCS, Block, blocks, commands, read, section

NAME = "filters-and-mapping.md"
PAGE = read(NAME)


def here(language: str, text: str = PAGE) -> list[Block]:
    """The blocks of this page that stand in `text`."""
    return [b for b in blocks(language) if b.page == DOCS / NAME and f"```{language}\n{b.text}```" in text]


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables under a heading, above its first subheading; without their heads."""
    found = section(PAGE, heading).partition("\n### ")[0]
    return [line[2:-2].split(" | ") for line in found.splitlines() if line.startswith("| `")]


def code(cell: str) -> str:
    assert re.fullmatch(r"`[^`]+`", cell), cell
    return cell[1:-1]


EVENT: dict[str, Any] = orjson.loads(here("json")[0].text)
FILTERS = [row for row in rows("What a filter can say") if row[1] in {"true", "false"}]
UNJUDGED = [row for row in rows("What a filter can say") if row not in FILTERS]
SUBSCRIPTIONS = rows("Subscriptions")
READINGS = [row for row in rows("Where Segment reads something else") if len(row) == 3]
INVALID = [row for row in rows("Where Segment reads something else") if len(row) == 2]


@pytest.mark.parametrize(("text", "holds"), FILTERS)
def test_a_filter_says_of_the_event_what_the_page_says(text: str, holds: str) -> None:
    assert compile_filter(code(text))(EVENT) is (holds == "true")


@pytest.mark.parametrize(("text", "why"), UNJUDGED)
def test_a_filter_cannot_judge_the_event(text: str, why: str) -> None:
    with pytest.raises(FqlError) as error:
        compile_filter(code(text))(EVENT)
    assert str(error.value) == why


def test_no_table_is_empty() -> None:
    found = [len(table) for table in (FILTERS, UNJUDGED, SUBSCRIPTIONS, READINGS, INVALID)]
    assert found == [21, 3, 15, 10, 3]


def test_every_function_of_filters_is_named() -> None:
    text = section(PAGE, "What a filter can say")
    assert [name for name in (*FUNCTIONS, "contains", "match") if f"`{name}`" not in text] == []


def test_the_filters_of_the_configuration_do_what_the_page_says() -> None:
    (block,) = here("toml")
    (destination,) = tomllib.loads(block.text)["destinations"]
    assert compile_filter(destination["filter"])(EVENT) is True
    left = compile_filters(msgspec.convert(destination["filters"], list[Filter]))(EVENT)
    assert left == EVENT | {"context": EVENT["context"] | {"device": {"type": "ios"}}}


def test_every_action_is_shown_and_is_right() -> None:
    shown = {code(row[0]): tomllib.loads(f"it = {code(row[2])}")["it"] for row in rows("What filters do")}
    kinds = {kind.__struct_config__.tag for kind in AnyAction.__args__}
    assert {name: action["type"] for name, action in shown.items()} == {str(kind): kind for kind in kinds}
    for action in shown.values():
        msgspec.convert(action, AnyAction)
    allowed = compile_filters(
        [msgspec.convert({"if": "all", "actions": [shown["ALLOW_PROPERTIES"]]}, Filter)]
    )
    assert allowed(EVENT) == EVENT | {"properties": {"revenue": 25}}


@pytest.mark.parametrize(("text", "holds"), SUBSCRIPTIONS)
def test_a_subscription_says_of_the_event_what_the_page_says(text: str, holds: str) -> None:
    subscription = compile_subscription(code(text))
    assert (subscription.error, subscription.differs) == (None, None)
    assert subscription.matches(EVENT) is (holds == "true")


@pytest.mark.parametrize(("text", "read_as", "_because"), READINGS)
def test_segment_reads_what_the_page_says(text: str, read_as: str, _because: str) -> None:
    subscription = compile_subscription(code(text))
    assert subscription.differs is not None
    assert subscription.tree is not None
    assert text_of(subscription.tree) == code(read_as)


@pytest.mark.parametrize(("text", "_why"), INVALID)
def test_a_subscription_is_invalid(text: str, _why: str) -> None:
    assert compile_subscription(code(text)).error is not None


def test_every_directive_has_a_section() -> None:
    assert re.findall(r"^### (@\w+)$", PAGE, re.MULTILINE) == list(DIRECTIVES)


@pytest.mark.parametrize("name", ["Mappings", *DIRECTIVES])
def test_a_mapping_makes_of_the_event_what_the_page_shows(name: str) -> None:
    mapping, result = here("json", section(PAGE, name).partition("\n### ")[0])
    assert name == "Mappings" or f'"{name}"' in mapping.text
    made = compile_mapping(orjson.loads(mapping.text))(EVENT)
    assert orjson.dumps(made) == orjson.dumps(orjson.loads(result.text))


def test_a_wrong_mapping_is_refused_as_the_page_says() -> None:
    text = section(PAGE, "What is wrong with a mapping")
    found = re.search(r"`(\{.*?\})` is refused with `(.*?)`\.", text)
    assert found is not None
    with pytest.raises(MappingError) as error:
        compile_mapping(orjson.loads(found[1]))
    assert str(error.value) == found[2]


def test_the_commands_print_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = here("console")
    tried = 0
    for words, output in _typed(block):
        if words[0] == "cat":
            Path(words[1]).write_text(output, "utf-8")
        else:
            result = CliRunner().invoke(relay, words[1:])
            assert (result.exit_code, result.output) == (0, output), words
            tried += 1
    assert tried == 3


def _typed(block: Block) -> Iterator[tuple[list[str], str]]:
    """What is typed, as words, and what is printed."""
    printed = re.split(r"^\$ .*\n", block.text, flags=re.MULTILINE)[1:]
    for (_, words), output in zip(commands(block), printed, strict=True):
        yield words, output
