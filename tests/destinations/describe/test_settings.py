"""Settings by their names in relay.toml."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import pytest

from relay.destinations import CATALOGUE
from relay.destinations.base import Destination, about, secret
from relay.destinations.describe import describe
from relay.destinations.describe.settings import in_words, settings_of


class Account(msgspec.Struct, frozen=True):
    """A table inside."""

    client_id: Annotated[str, about("Who.")] = msgspec.field(name="clientId", default="")


class Toy(Destination, frozen=True):
    """A type with one of each."""

    api_key: Annotated[str, secret("The key.")]
    region: Annotated[Literal["us", "eu"], about("Where.")] = "us"
    is_test: Annotated[bool, about("Whether.")] = False
    room: Annotated[str | None, about("Which.")] = None
    headers: Annotated[Mapping[str, str], secret("Headers.")] = {}
    account: Annotated[Account, secret("The account.")] = Account()


def test_each_setting_says_what_it_is() -> None:
    assert [(s.name, s.type, s.required, s.secret, s.default, s.about) for s in settings_of(Toy)] == [
        ("apiKey", "text", True, True, None, "The key."),
        ("region", '"us" or "eu"', False, False, "us", "Where."),
        ("isTest", "boolean", False, False, False, "Whether."),
        ("room", "text", False, False, None, "Which."),
        ("headers", "table of text", False, True, {}, "Headers."),
        ("account", "table", False, True, None, "The account."),
        ("account.clientId", "text", False, False, None, "Who."),
    ]


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        (int, "whole number"),
        (float | None, "number"),
        (int | str, "whole number or text"),
        (tuple[str, ...], "list of text"),
        (list[int], "list of whole number"),
        (dict[str, str], "table of text"),
        (Literal["a", "b", "c"], '"a", "b" or "c"'),
    ],
)
def test_a_type_is_put_in_words(hint: Any, said: str) -> None:
    assert in_words(hint) == said


@pytest.mark.parametrize("name", CATALOGUE)
def test_everything_in_the_catalogue_says_what_it_is(name: str) -> None:
    it = describe(name, CATALOGUE[name])
    told = {setting.name: setting.about for setting in it.settings}
    for action in it.actions:
        told[action.name] = action.about
        told |= {f"{action.name} {field.name}": field.about for field in action.fields}
    assert [place for place, sentence in told.items() if not sentence.endswith(".")] == []
