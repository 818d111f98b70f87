"""A running relay, and the commands that talk to it."""

from tests.acceptance.conftest import start_relay

__all__ = ["start_relay"]
