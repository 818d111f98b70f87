"""A block for relay.toml."""

from typing import Annotated, ClassVar, Literal

from relay.destinations.base import Destination, about, secret
from relay.destinations.describe.block import block_of


class Plain(Destination, frozen=True):
    """A type with settings of each kind."""

    api_key: Annotated[str, secret("The key.")]
    region: Annotated[Literal["us", "eu"], about("Where.")] = "us"
    is_test: Annotated[bool, about("Whether.")] = False
    room_id: Annotated[str | None, about("Which.")] = None


class Either(Destination, frozen=True):
    """A type that needs one of two."""

    needs_endpoint: ClassVar[bool] = True

    web_id: Annotated[str | None, about("One.")] = None
    app_id: Annotated[str | None, about("The other.")] = None

    def __post_init__(self) -> None:
        if not (self.web_id or self.app_id):
            raise ValueError("webId or appId is needed")


class Bare(Destination, frozen=True):
    """A type without settings."""


def test_what_is_needed_comes_from_the_environment_and_the_rest_is_commented_out() -> None:
    assert (
        block_of("my-type", Plain, needs_subscriptions=False)
        == """[[destinations]]
name = "my-type"
type = "my-type"

[destinations.settings]
apiKey = "${MY_TYPE_API_KEY}"
# region = "us"
# isTest = false
# roomId = "${MY_TYPE_ROOM_ID}"
"""
    )


def test_where_the_required_settings_are_not_enough_one_more_is_put_in() -> None:
    lines = block_of("it", Either, needs_subscriptions=False).splitlines()
    assert lines[3] == 'endpoint = "${IT_ENDPOINT}"'
    assert lines[-2:] == ['webId = "${IT_WEB_ID}"', '# appId = "${IT_APP_ID}"']


def test_a_type_without_settings_has_no_table_of_them() -> None:
    block = block_of("it", Bare, needs_subscriptions=True)
    assert "settings" not in block
    assert '# subscriptions = "it.json"' in block
