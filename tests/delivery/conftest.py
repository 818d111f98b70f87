"""What the tests of delivery share: waits that are short, and a machine that may be slow."""

import pytest

from relay.delivery import ledger, pace


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-offs and waits of milliseconds, and no answer is too slow."""
    monkeypatch.setattr(pace, "FIRST_BACKOFF", 0.005)
    monkeypatch.setattr(pace, "MAX_BACKOFF", 0.05)
    monkeypatch.setattr(pace, "PARKED_FIRST", 0.03)
    monkeypatch.setattr(pace, "PARKED_MAX", 0.1)
    monkeypatch.setattr(pace, "SLOW_SECONDS", 3600.0)  # a machine that stands still is no trouble
    monkeypatch.setattr(ledger, "FLUSH_SECONDS", 0.005)
