"""A running relay to send to."""

from tests.acceptance.conftest import start_relay

__all__ = ["start_relay"]
