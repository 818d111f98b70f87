"""Everything that docs/transformations.md claims about its examples is so."""

import re
import tomllib
from typing import Any

import msgspec
import orjson
import pytest

from relay.delivery.config import DestinationConfig
from relay.delivery.routing import NO_CONSENT, SIFTED, Routing
from relay.destinations.transformations import Transformation, compile_transformations, mistakes
from relay.destinations.transformations.hashing import ALGORITHMS, ENCODINGS
from relay.event import Event
from tests.docs.pages import DOCS, blocks, read, section

NAME = "transformations.md"
PAGE = read(NAME)
CONSENT, EXAMPLE = [tomllib.loads(block.text) for block in blocks("toml") if block.page == DOCS / NAME]
(EVENT,) = [orjson.loads(block.text) for block in blocks("json") if block.page == DOCS / NAME]


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without their code marks."""
    found = [line for line in section(PAGE, heading).splitlines() if line.startswith("| `")]
    return [[cell.strip("`") for cell in line[2:-2].split(" | ")] for line in found]


CHOICES = rows("Consent")[1:]
KINDS = rows("Transformations")


def made(said: dict[str, Any]) -> dict[str, Any] | None:
    one = msgspec.convert(said, Transformation)
    assert list(mistakes(one)) == []
    step = compile_transformations([one])
    assert step is not None
    return step(EVENT)


@pytest.mark.parametrize(("consent", "goes"), CHOICES)
def test_an_event_goes_where_its_consent_says(consent: str, goes: str) -> None:
    config = DestinationConfig(
        name="ads", type="webhook", consent=tuple(CONSENT["destinations"][0]["consent"])
    )
    data = {"type": "track", "event": "e", "context": {"consent": orjson.loads(consent)}}
    routed = Routing(config, "Webhook").route(Event(1, 0, "web", "m", orjson.dumps(data)))
    assert (routed != NO_CONSENT) is (goes == "yes")


@pytest.mark.parametrize(("key", "_does", "said", "result"), KINDS)
def test_a_transformation_makes_of_the_event_what_the_page_shows(
    key: str, _does: str, said: str, result: str
) -> None:
    left = made(tomllib.loads(said))
    changed = left and {name: value for name, value in left.items() if value != EVENT[name]}
    assert changed == orjson.loads(result)
    assert said.startswith(f"{key} = ")


def test_every_key_is_explained_and_every_choice_named() -> None:
    fields = [field.encode_name for field in msgspec.structs.fields(Transformation)]
    assert [row[0] for row in KINDS] == [f for f in fields if f not in ("name", "if", "enabled")]
    text = section(PAGE, "Transformations")
    assert [
        n for n in ("name", "if", "enabled = false", *ALGORITHMS, *ENCODINGS) if f"`{n}`" not in text
    ] == []
    assert len(CHOICES) == 9


def test_the_transformations_of_the_configuration_do_what_their_names_say() -> None:
    left = made(EXAMPLE["sources"][0]["transformations"][0])
    assert left is not None
    assert (left["event"], left["properties"]["revenue"]) == ("Order Completed", 25)
    left = made(EXAMPLE["destinations"][0]["transformations"][0])
    assert left is not None
    assert re.fullmatch("[0-9a-f]{64}", left["context"]["traits"]["email"])


def test_the_reasons_are_named() -> None:
    assert NO_CONSENT in section(PAGE, "Consent")
    assert SIFTED in section(PAGE, "Those of a source and those of a destination")
