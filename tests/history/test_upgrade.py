"""A data directory of an older relay, which counted fates and nothing else."""

from pathlib import Path

from relay.database import connect_writer, migrations
from relay.delivery.config import DestinationConfig
from relay.delivery.delivery import _enrol
from relay.log.state import MIGRATIONS, SQL, State
from relay.outcome import Outcome
from tests.delivery.clock import Clock
from tests.history.house import START, House

BEFORE = 8  # migrations


def old(path: Path) -> None:
    """A destination with 10 + 3 + 2 + 4 fates, two parked events, and a backlog; and a replay."""
    connection = connect_writer(path, "NORMAL")
    for script in migrations(MIGRATIONS)[:BEFORE]:
        connection.executescript(script)
    connection.execute(f"PRAGMA user_version = {BEFORE}")
    connection.execute("UPDATE admission SET cursor = 30")
    connection.execute(
        "INSERT INTO consumers (name, cursor, delivered, filtered, duplicate, rejected) "
        "VALUES ('hook', 21, 10, 3, 2, 4), ('replay:1', 21, 5, 5, 5, 5)"
    )
    for place in range(2):
        connection.execute(
            "INSERT INTO parked (destination, sequence, place, attempts, next_at, expires_at, tried_at, reason) "
            "VALUES ('hook', 9, ?, 1, 0, 0, 0, '503')",
            (place,),
        )
    connection.close()


async def test_its_fates_are_kept_as_of_unknown_reasons_and_of_no_minute(tmp_path: Path) -> None:
    old(tmp_path / "state.db")
    state = await State.open(tmp_path / "state.db")
    at = House(state, Clock(START))
    assert await at.rows(
        "SELECT destination, outcome, reason, is_verdict, count FROM fate_reasons ORDER BY outcome"
    ) == [
        ("hook", "duplicate", "", 1, 2),
        ("hook", "filtered", "", 0, 3),
        ("hook", "rejected", "", 0, 4),
    ]
    assert await at.rows("SELECT name, due FROM consumers ORDER BY name") == [("hook", 21), ("replay:1", 20)]
    await at.history.open()
    await at.minutes()
    (hook,) = (await at.history.funnel("7d")).destinations
    assert (hook.received, hook.delivered, hook.pending_retry) == (0, 0, 2)
    assert hook.carried == 2
    assert hook.failed_delivery.events == hook.filtered_at_source.events == 0
    await state.close()


async def test_a_backlog_that_it_had_is_not_less_than_nothing_and_is_right_once_it_is_gone(
    tmp_path: Path,
) -> None:
    old(tmp_path / "state.db")
    state = await State.open(tmp_path / "state.db")
    at = House(state, Clock(START))
    await at.history.open()
    await at.went(9)  # of the backlog, which nobody had counted
    await at.minutes()
    (hook,) = (await at.history.funnel("1h")).destinations
    assert hook.carried + hook.received == hook.delivered + hook.pending_retry + hook.in_hand
    assert (hook.delivered, hook.in_hand) == (9, 0)
    assert await at.rows("SELECT due FROM consumers WHERE name = 'hook'") == [(30,)]
    await state.close()


async def test_a_dead_letter_that_it_had_leaves_the_reasons_that_are_not_known(tmp_path: Path) -> None:
    old(tmp_path / "state.db")
    state = await State.open(tmp_path / "state.db")
    row = await state.write(lambda c: _enrol(c, DestinationConfig(name="hook", type="webhook")))
    row["tally"].uncount(Outcome.REJECTED, "410")
    assert [(str(r.outcome), n) for r, n in row["tally"].counts.items()] == [
        ("duplicate", 2),
        ("filtered", 3),
        ("rejected", 3),
    ]
    assert (await state.read(lambda c: c.execute(SQL["admission_cursor"]).fetchone())) == (30,)
    await state.close()
