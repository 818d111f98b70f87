"""bridge: what Segment's own code costs in a child, beside relay's own destinations in the same run.

Every request that the child asks for is answered 200 at once, in relay's process, so the vendor costs nothing. Then the
same events, mappings and answers with relay's own types.

How to read it: `per_s` is of one child with `in_flight` calls at a time, `host_us` the CPU time of relay's process
for an event, `child_us` that of the child, `native_us` what relay's own type takes, and `times_native` both processes'
time as a multiple of it. At least 1,000 single and 5,000 batched events a second are aimed at.
`start_ms` is until a child is ready, `first_ms` the first call, in which a destination is loaded.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from bench.destinations import SETTINGS, admitted
from bench.events import batches
from bench.processes import BenchError
from bench.report import Report, json_option, run, say
from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination, Subscription
from relay.destinations.base import Destination, Parcel, Route
from relay.destinations.bridge.catalogue import read
from relay.destinations.bridge.folder import NAME, current
from relay.destinations.bridge.kinds import kind_of
from relay.destinations.bridge.route import BridgeRoute
from relay.destinations.bridge.runtime import Runtime
from relay.destinations.errors import DeliveryError
from relay.destinations.flow import Ended, begin, go_on
from relay.destinations.reply import Reply
from relay.event import Event
from relay.sandbox import usage
from relay.sandbox.sandbox import Sandbox

_GOOD = Reply(200, "{}", headers={"content-type": "application/json"})
_IN_FLIGHT = 16
_BATCH = 100
_CASES = (("amplitude", 1), ("mixpanel", 1), ("google-analytics-4", 1), ("mixpanel", _BATCH))
_AIM = {1: 1_000, _BATCH: 5_000}  # events a second
_ACTIONS = {"amplitude": "logEventV2", "mixpanel": "trackEvent", "google-analytics-4": "customEvent"}


@click.command()
@click.option("--seconds", default=3.0, help="How long each case goes on.")
@click.option(
    "--installed",
    default=Path("data") / NAME,
    type=click.Path(path_type=Path),
    help="Where `relay destinations install` has put the package.",
)
@json_option
def bridge(*, seconds: float, installed: Path, as_json: bool) -> None:
    """Measure Segment's own destinations in a child, against relay's own."""
    run(_bridge(seconds, installed), as_json=as_json)


async def _bridge(seconds: float, root: Path) -> Report:
    report = Report("bridge")
    found = current(root)
    if found is None:
        raise BenchError(f"nothing is installed in {root}: relay destinations install --to {root}")
    catalogue = read(found.folder)
    events = admitted(batches(100).render(0), "batch", 5)
    async with Sandbox() as sandbox:
        runtime = Runtime(sandbox, found.folder, 1)
        began = time.perf_counter()
        async with runtime.pool.slot():
            report.add("a child", "bundle", {"start_ms": _ms(began), **_memory("ready", _pid(runtime))})
        for kind, size in _CASES:
            say(f"{kind}, {size} an event a call" if size == 1 else f"{kind}, {size} events a call")
            settings = msgspec.convert(SETTINGS[kind], kind_of(catalogue.by_type[kind]))
            route = _route(settings, kind)
            assert isinstance(route, BridgeRoute)
            route.run_in(runtime, None)
            column = kind if size == 1 else f"{kind}, batches"
            began = time.perf_counter()
            await _walk(_parcels(route, events[:1], 1)[0])
            first = _ms(began)
            measured = await _rate(route, events, size, seconds, _pid(runtime))
            native = _native(kind, events, size)
            both = measured["host_us"] + measured["child_us"]
            ratio = {"native_us": round(native, 1), "times_native": round(both / native, 1)}
            report.add("events", column, {**measured, **ratio, "first_ms": first})
            report.add("a child", "bundle", _memory(f"after_{column}", _pid(runtime)))
            if measured["per_s"] < _AIM[size]:
                report.problems.append(f"{column}: {measured['per_s']:,} events a second")
    return report


def _ms(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _pid(runtime: Runtime) -> int:
    return runtime.pool.seats[0].child.pid


def _memory(when: str, pid: int) -> dict[str, float | int | str]:
    return {f"{when.replace('-', '_').replace(', ', '_')}_mb": round(usage.resident_bytes(pid) / 2**20)}


def _route(settings: Destination, kind: str) -> Route:
    """By one subscription, so that an event is one call."""
    assert isinstance(settings, ActionDestination)
    mapping = settings.actions[_ACTIONS[kind]].default_mapping(enable_batching=True)
    if kind == "google-analytics-4":
        mapping |= {"data_stream_type": "Web", "clientId": {"@path": "$.anonymousId"}, "name": "bought"}
    return settings.route([Subscription(_ACTIONS[kind], 'type != ""', mapping)])


def _parcels(route: Route, events: Sequence[Event], size: int) -> list[Parcel]:
    if size == 1:
        return [parcel for event in events for parcel in route.parcels([event], is_batch=False)]
    parts = [events[at : at + size] for at in range(0, len(events), size)]
    return [parcel for part in parts for parcel in route.parcels(part, is_batch=True)]


async def _walk(parcel: Parcel) -> None:
    steps = parcel.begin(parcel.events)
    try:
        await begin(steps)
        while True:
            await go_on(steps, _GOOD)
    except Ended as ended:
        if any(ended.results or ()):
            raise BenchError("an event was refused") from None
    except DeliveryError as error:
        raise BenchError(f"a call failed: {error}") from None


async def _rate(
    route: Route, events: Sequence[Event], size: int, seconds: float, pid: int
) -> dict[str, float | int]:
    parcels = _parcels(route, events, size)
    count = 0
    began = time.perf_counter()

    async def go_on_with(turn: int) -> None:
        nonlocal count
        while time.perf_counter() - began < seconds:
            parcel = parcels[turn % len(parcels)]
            await _walk(parcel)
            count += len(parcel.events)
            turn += _IN_FLIGHT

    before, own = usage.cpu_seconds(pid) or 0.0, time.process_time()
    await asyncio.gather(*(go_on_with(n) for n in range(_IN_FLIGHT)))
    wall = time.perf_counter() - began
    host, child = time.process_time() - own, (usage.cpu_seconds(pid) or 0.0) - before
    return {
        "per_s": round(count / wall),
        "host_us": round(host / count * 1e6, 1),
        "child_us": round(child / count * 1e6, 1),
    }


def _native(kind: str, events: Sequence[Event], size: int) -> float:
    """Microseconds of an event by relay's own type: the mapping, the check and the flow."""
    route = _route(msgspec.convert(SETTINGS[kind], CATALOGUE[kind]), kind)
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        for parcel in _parcels(route, events, size):
            steps: Any = parcel.begin(parcel.events)
            for _request in steps:
                try:
                    steps.send(_GOOD)
                except StopIteration:
                    break
        best = min(best, time.process_time() - started)
    return best / len(events) * 1e6
