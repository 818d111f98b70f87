"""What the tests of destinations share."""

from tests.delivery.conftest import quick

__all__ = ["quick"]
