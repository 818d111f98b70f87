"""How a replay stands back: behind live delivery that is held, and behind what comes in."""

from pathlib import Path

from relay.delivery.config import DestinationConfig
from relay.delivery.pace import Gate
from relay.delivery.replaying import LOOK_SECONDS, PORTION, QUIET_SECONDS, ReplayGate, gentle
from tests.delivery.clock import Clock
from tests.delivery.pipeline import pipeline, track, tracks, webhook
from tests.receiver import Receiver


def gates(clock: Clock) -> tuple[Gate, ReplayGate]:
    """A gate of live delivery, and one of a replay."""
    live = Gate(8, None, clock, rand=lambda: 0.5)
    return live, ReplayGate(4, None, lambda: live, clock)


def test_a_replay_goes_beside_live_delivery_that_is_well() -> None:
    live, replay = gates(Clock())
    assert live.enter() == 0
    assert replay.enter() == 0


def test_it_waits_while_live_delivery_backs_off_and_while_it_probes() -> None:
    clock = Clock()
    live, replay = gates(clock)
    live.enter()
    live.failed(None)
    assert replay.enter() == LOOK_SECONDS
    clock.move(live.opens_in)
    assert live.enter() == 0
    assert replay.enter() == LOOK_SECONDS
    live.succeeded(0.01)
    assert replay.enter() == 0


def test_it_keeps_to_a_retry_after_that_live_delivery_was_given() -> None:
    clock = Clock()
    live, replay = gates(clock)
    live.enter()
    live.failed(60.0)
    clock.move(59)
    assert replay.enter() == LOOK_SECONDS
    clock.move(1)
    assert replay.enter() == 0


def test_it_probes_by_itself_when_nobody_else_does() -> None:
    clock = Clock()
    live, replay = gates(clock)
    live.enter()
    live.failed(None)
    clock.move(live.opens_in)
    assert replay.enter() == 0
    replay.failed(None)
    assert replay.enter() not in (0, LOOK_SECONDS, None)


def test_without_live_delivery_it_is_a_gate_like_any() -> None:
    replay = ReplayGate(1, None, lambda: None, Clock())
    assert replay.enter() == 0
    assert replay.enter() is None


def test_it_may_do_half_of_what_live_delivery_may() -> None:
    config = DestinationConfig(name="hook", type="webhook", concurrency=5, rate_limit=9)
    assert (gentle(config).concurrency, gentle(config).rate_limit) == (2, 4.5)
    alone = DestinationConfig(name="hook", type="webhook", concurrency=1)
    assert (gentle(alone).concurrency, gentle(alone).rate_limit) == (1, None)


async def test_while_events_come_in_it_reads_little_at_a_time(receiver: Receiver, tmp_path: Path) -> None:
    clock = Clock()
    async with pipeline(tmp_path) as line:
        await line.send(*tracks(3))
        await line.apply(webhook(receiver.url, "new", enabled=False))
        await line.replays.start({"destination": "new", "rate": 0.001})
        (active,) = line.replays._active.values()
        active.consumer._clock = clock
        active.consumer._live_at = active.consumer._read_at = clock()
        clock.move(QUIET_SECONDS + 0.1)
        assert await active.consumer._portion() > PORTION
        await line.send(track())
        assert await active.consumer._portion() == PORTION
        clock.move(QUIET_SECONDS)
        assert await active.consumer._portion() == PORTION
        clock.move(0.1)
        assert await active.consumer._portion() > PORTION
