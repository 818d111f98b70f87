"""Places in children: given in order, in no more children than agreed, given up when nobody needs them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import msgspec
import pytest
from prometheus_client import REGISTRY

from relay.sandbox.child import Child
from relay.sandbox.crashes import SOME
from relay.sandbox.errors import Crashed, NotInstalled, Reason, Thrown, TimedOut
from relay.sandbox.limits import Limits
from relay.sandbox.pool import IDLE_SECONDS, Pool
from relay.sandbox.sandbox import TENURE_SECONDS, Sandbox
from tests.delivery.clock import Clock
from tests.sandbox.house import LIMITS, Neighbour, code, pool, run, spawn


class Spawner:
    """Starts children and keeps count of them."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.children: list[Child] = []
        self.limits = limits

    async def __call__(self) -> Child:
        child = await spawn(self.limits)
        self.children.append(child)
        return child

    async def one_gone(self) -> None:
        await asyncio.wait([child.ended for child in self.children], return_when=asyncio.FIRST_COMPLETED)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[Sandbox]:
    async with Sandbox(cap=2, clock=clock) as one:
        yield one


async def test_the_first_child_starts_with_the_first_slot(sandbox: Sandbox) -> None:
    spawner = Spawner()
    house = sandbox.pool("test", spawner, LIMITS)
    assert house.status().children == 0
    assert await run(house, "return 1") == 1
    assert await run(house, "return 2") == 2
    assert len(spawner.children) == 1


async def test_more_children_start_when_all_places_are_taken_and_no_more_than_the_cap() -> None:
    async with Sandbox() as sandbox, AsyncExitStack() as stack:
        house = sandbox.pool("test", Spawner(), LIMITS, cap=2)
        for taken in range(1, 2 * LIMITS.in_flight + 1):
            await stack.enter_async_context(house.slot())
            assert house.status().children == (1 if taken <= LIMITS.in_flight else 2)
        late = asyncio.create_task(run(house, "return 'late'"))
        await asyncio.sleep(0)
        assert (house.status().calls, house.status().waiting) == (6, 1)
        await stack.aclose()
        assert await late == "late"
        assert house.status().children == 2


async def test_whoever_waits_first_is_served_first(sandbox: Sandbox) -> None:
    house = sandbox.pool("test", Spawner(), msgspec.structs.replace(LIMITS, in_flight=1), cap=1)
    order: list[int] = []

    async def call(number: int) -> None:
        async with house.slot():
            order.append(number)

    await asyncio.gather(*(call(number) for number in range(20)))
    assert order == list(range(20))


async def test_who_gives_up_waiting_takes_nobodys_place(sandbox: Sandbox) -> None:
    house = sandbox.pool("test", Spawner(), msgspec.structs.replace(LIMITS, in_flight=1), cap=1)
    async with house.slot():
        waiting = [asyncio.create_task(run(house, "return 1")) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    waiting[1].cancel()  # after its place was given to it
    assert await waiting[2] == 1
    assert (house.status().calls, house.status().waiting) == (0, 0)


async def test_a_child_with_nothing_to_do_goes_after_five_minutes(sandbox: Sandbox, clock: Clock) -> None:
    spawner = Spawner()
    house = sandbox.pool("test", spawner, LIMITS)
    await run(house, "return 1")
    clock.move(IDLE_SECONDS - 1)
    sandbox.check()
    assert not spawner.children[0].is_gone
    clock.move(1)
    sandbox.check()
    assert await spawner.children[0].ended is Reason.STOPPED
    assert await run(house, "return 2") == 2
    assert house.status().crashes == 0


async def test_over_the_cap_of_all_pools_the_longest_idle_child_goes_first(
    sandbox: Sandbox, clock: Clock
) -> None:
    spawners = [Spawner() for _ in range(3)]
    houses = [sandbox.pool(f"test {n}", spawner, LIMITS) for n, spawner in enumerate(spawners)]
    for house in (houses[1], houses[0]):
        assert await run(house, "return 1") == 1
        clock.move(1)
    assert await run(houses[2], "return 1") == 1
    assert spawners[1].children[0].ended.result() is Reason.STOPPED
    assert [len(spawner.children) for spawner in spawners] == [1, 1, 1]
    assert not spawners[0].children[0].is_gone


async def test_a_pool_that_is_always_busy_makes_room_for_another_after_a_while(clock: Clock) -> None:
    async with Sandbox(cap=1, clock=clock) as sandbox:
        busy, other = sandbox.pool("busy", Spawner(), LIMITS), sandbox.pool("other", Spawner(), LIMITS)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(busy.slot())
            late = asyncio.create_task(run(other, "return 'late'"))
            await asyncio.sleep(0)
            assert await run(busy, "return 'still'") == "still"
            clock.move(TENURE_SECONDS)
            sandbox.check()
            more = asyncio.create_task(
                run(busy, "return 'more'")
            )  # a place is free, in a child that is to leave
            await asyncio.sleep(0)
            assert (other.status().waiting, busy.status().waiting) == (1, 1)
        assert await late == "late"
        assert await more == "more"


async def test_a_worn_child_takes_no_more_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.sandbox.child.WORN_AFTER", 1)
    monkeypatch.setattr("relay.sandbox.child.PONG_SECONDS", 60.0)
    spawner = Spawner(msgspec.structs.replace(LIMITS, seconds=1))
    async with Sandbox() as sandbox:
        house = sandbox.pool("test", spawner, spawner.limits, cap=1)
        with pytest.raises(TimedOut):
            await run(house, "await new Promise(() => {})")
        spawner.limits = LIMITS
        assert await run(house, "return 1") == 1
    assert [child.ended.result() for child in spawner.children] == [Reason.STOPPED] * 2
    assert len(spawner.children) == 2


# crashes

EXIT = "Deno.exit(1)"


async def test_after_some_crashes_no_child_starts_until_it_is_time(sandbox: Sandbox, clock: Clock) -> None:
    spawner = Spawner()
    house = sandbox.pool("test", spawner, LIMITS)
    while house.status().crashes < SOME - 1:
        with pytest.raises(Crashed):
            await run(house, EXIT)
    guilty = asyncio.create_task(run(house, EXIT))
    while house.status().starts_in == 0:
        await spawner.one_gone()
        await asyncio.sleep(0)
    status = house.status()
    assert (status.crashes, status.starts_in, status.last_crash) == (SOME, 1.0, "exited")
    started = len(spawner.children)
    late = asyncio.create_task(run(house, "return 'late'"))
    house.advance()
    assert (len(spawner.children), house.status().waiting) == (started, 1)
    clock.move(1.0)
    house.advance()
    with pytest.raises(Crashed):
        await guilty
    clock.move(2.0)
    house.advance()
    assert await late == "late"


async def test_a_script_that_cannot_start_is_tried_again_and_seen(sandbox: Sandbox) -> None:
    tries = 0

    async def broken_at_first() -> Child:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Crashed(Reason.EXITED, "no bundle")
        return await spawn()

    house = sandbox.pool("test", broken_at_first, LIMITS)
    assert await run(house, "return 1") == 1
    status = house.status()
    assert (status.crashes, status.last_crash) == (2, "the process that ran it ended (exited): no bundle")


async def test_without_deno_whoever_waits_is_told(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deno", None)
    house = sandbox.pool("test", spawn, LIMITS)
    outcomes = await asyncio.gather(*(run(house, "return 1") for _ in range(3)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {NotInstalled}


async def test_neighbours_of_a_loop_do_not_wait_until_its_time_is_over() -> None:
    limits = msgspec.structs.replace(LIMITS, seconds=60)
    async with pool(limits) as house:
        neighbours = [Neighbour(house, number) for number in (1, 2)]
        for neighbour in neighbours:
            await neighbour.begun.wait()
        guilty = asyncio.create_task(run(house, "for (;;) {}"))
        for neighbour in neighbours:
            assert await neighbour.answer == neighbour.right
        assert not guilty.done(), "it has time to calculate, alone"
        guilty.cancel()
        await asyncio.wait([guilty])


async def test_what_calculates_long_ends_well_when_it_is_alone() -> None:
    text = "const end = Date.now() + 1500; let n = 0; while (Date.now() < end) n++; return n > 0"
    async with pool() as house:
        assert await run(house, text) is True
        assert house.status().crashes == 0


async def test_a_call_that_crashed_by_the_fault_of_another_has_one_outcome() -> None:
    async with pool() as house:
        before = _outcomes("test")
        neighbour = Neighbour(house, 1)
        await neighbour.begun.wait()
        with pytest.raises(Crashed):
            await run(house, EXIT)
        assert await neighbour.answer == neighbour.right
        with pytest.raises(Thrown):
            await run(house, "throw 1")
        after = _outcomes("test")
    assert {key: after[key] - before.get(key, 0) for key in ("ok", "crashed", "thrown")} == {
        "ok": 1,
        "crashed": 1,
        "thrown": 1,
    }


def _outcomes(name: str) -> dict[str, float]:
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    return {
        sample.labels["outcome"]: sample.value
        for sample in samples
        if sample.name == "relay_sandbox_calls_total" and sample.labels["pool"] == name
    }


async def test_a_closed_pool_ends_its_children_and_refuses() -> None:
    spawner = Spawner()
    async with Sandbox() as sandbox:
        house: Pool = sandbox.pool("test", spawner, LIMITS, cap=1)
        neighbour = Neighbour(house, 1)
        await neighbour.begun.wait()
        await house.close()
        await house.close()
        with pytest.raises(Crashed, match="stopped"):
            await neighbour.answer
        with pytest.raises(Crashed, match="stopped"):
            await run(house, "return 1")
    assert [child.ended.result() for child in spawner.children] == [Reason.STOPPED]


async def test_a_pool_closed_while_a_child_starts_leaves_nothing() -> None:
    async with Sandbox() as sandbox:
        house = sandbox.pool("test", spawn, LIMITS)
        waiting = asyncio.create_task(run(house, "return 1"))
        await asyncio.sleep(0)
        await house.close()
        with pytest.raises(Crashed, match="stopped"):
            await waiting
        assert house.size == 0


async def test_the_layers_are_in_the_status(sandbox: Sandbox) -> None:
    house = sandbox.pool("test", spawn, LIMITS)
    async with house.slot() as slot:
        await slot.call(code("return 1"))
        assert house.status().layers == house.seats[0].child.layers
