"""sandbox: what a call of other people's code costs, and what others notice of code that means harm.

First the speed of calls that do nothing and of calls with one request, which is answered at once. Then, for each kind of
harm: two callers go on in the same process and one in a process of its own, while the guilty call comes in between.

How to read it: `guilty` is what came of that call. `beside_ms` is the longest any call in the same process took,
with being run again; `elsewhere_ms` the longest in the other process; `loop_gap_ms` the longest that relay's loop
was held up, and `usual_…` the same before. Under a second and under 100 ms is what is aimed at. An answer that is
wrong or missing is a problem.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click

from bench.report import Report, json_option, run, say
from relay.sandbox import deno
from relay.sandbox.child import Child
from relay.sandbox.errors import SandboxError
from relay.sandbox.limits import Limits
from relay.sandbox.pool import Pool
from relay.sandbox.sandbox import Sandbox

_WORKER = Path(__file__).with_name("sandbox.mjs")
_MB = 1024 * 1024
_LIMITS = Limits(
    seconds=5, memory_bytes=256 * _MB, rss_bytes=512 * _MB, heap_mb=128
)  # as for a user's function
_HARM = {
    "endless loop": "for (;;) {}",
    "heap bomb": "const all = []; for (;;) all.push(new Array(1000).fill(all.length))",
    "ArrayBuffer bomb": "const all = []; for (;;) all.push(new Uint8Array(16e6).fill(1))",
    "Deno.exit": "Deno.exit(0)",
    "reading a file": "return Deno.readTextFileSync('/etc/passwd')",
    "a socket": "await Deno.connect({ hostname: '127.0.0.1', port: 9 })",
    "tampering": "Array.prototype.push = Map.prototype.get = JSON.stringify = () => { throw new Error('tampered') }",
    "200 MB answer": "return 'x'.repeat(200e6)",
    "200 MB frame": "Deno.stdout.writeSync(new Uint8Array([12, 0, 0, 0])); await new Promise(() => {})",
    "4 MiB of nothings": "return new Array(1.3e6).fill([])",
}


@click.command()
@click.option("--seconds", default=2.0, help="How long each kind of call goes on.")
@json_option
def sandbox(*, seconds: float, as_json: bool) -> None:
    """Measure calls of other people's code, and what harm it can do."""
    run(_sandbox(seconds), as_json=as_json)


async def _sandbox(seconds: float) -> Report:
    report = Report("sandbox")
    say("calls")
    began = time.perf_counter()
    child = await _spawn()
    report.add("calls", "start", {"ms": round((time.perf_counter() - began) * 1000)})
    for text, column in (("return message.n", "nothing"), ("return await http({})", "one request")):
        for in_flight in (1, 16):
            rate = await _rate(child, text, in_flight, seconds)
            report.add("calls", column, {f"{in_flight}_in_flight_per_s": round(rate)})
    await child.stop()
    for what, text in _HARM.items():
        say(what)
        for column, value in (await _harm(text, seconds, report.problems)).items():
            report.add("harm", column, {what: value})
    return report


async def _spawn() -> Child:
    return await deno.start("this benchmark", _WORKER, _LIMITS)


async def _answered(request: dict[str, Any]) -> dict[str, Any]:
    return request


async def _rate(child: Child, text: str, in_flight: int, seconds: float) -> float:
    """Calls a second."""
    began = time.perf_counter()
    count = 0

    async def go_on() -> None:
        nonlocal count
        while time.perf_counter() - began < seconds:
            await child.call({"op": "code", "code": text}, on_http=_answered)
            count += 1

    await asyncio.gather(*(go_on() for _ in range(in_flight)))
    return count / (time.perf_counter() - began)


class _Caller:
    """Calls one after the other, and the longest that one took, in ms."""

    def __init__(self, pool: Pool, problems: list[str]) -> None:
        self.longest = 0.0
        self._pool = pool
        self._problems = problems
        self._is_over = False
        self._task = asyncio.create_task(self._go_on())

    async def _go_on(self) -> None:
        number = 0
        while not self._is_over:
            number += 1
            began = time.perf_counter()
            async with self._pool.slot() as slot:
                message = {"op": "code", "code": "return [await http({ n: message.n })]", "n": number}
                answer = await slot.call(message, on_http=_answered)
            if answer != [{"n": number}]:
                self._problems.append("a call beside had a wrong answer")
            self.longest = max(self.longest, (time.perf_counter() - began) * 1000)

    async def end(self) -> None:
        self._is_over = True
        try:
            await self._task
        except SandboxError as error:
            self._problems.append(f"a call beside had none: {error}")


async def _harm(text: str, seconds: float, problems: list[str]) -> dict[str, float | int | str]:
    async with Sandbox() as sandbox, _longest_gap() as gap:
        pool, other = (sandbox.pool(name, _spawn, _LIMITS, cap=1) for name in ("beside", "elsewhere"))
        callers = [_Caller(pool, problems), _Caller(pool, problems), _Caller(other, problems)]
        await asyncio.sleep(seconds / 2)  # all have begun, and are at their usual speed
        gap[0] = 0.0
        for caller in callers:
            caller.longest = 0.0
        await asyncio.sleep(seconds / 2)
        usual = gap[0], max(caller.longest for caller in callers)
        outcome = await _guilty(pool, text)
        for caller in callers:
            await caller.end()
        return {
            "guilty": outcome,
            "beside_ms": round(max(callers[0].longest, callers[1].longest)),
            "elsewhere_ms": round(callers[2].longest),
            "loop_gap_ms": round(gap[0]),
            "usual_call_ms": round(usual[1]),
            "usual_loop_gap_ms": round(usual[0]),
        }


async def _guilty(pool: Pool, text: str) -> str:
    try:
        async with pool.slot() as slot:
            await slot.call({"op": "code", "code": text})
    except SandboxError as error:
        return type(error).__name__
    return "answered"


@asynccontextmanager
async def _longest_gap() -> AsyncIterator[list[float]]:
    """How long the loop was held up at most, in ms: the one item, which may be set back."""
    gap = [0.0]

    async def measure() -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gap[0] = max(gap[0], (now - before - 0.001) * 1000)
            before = now

    task = asyncio.create_task(measure())
    try:
        yield gap
    finally:
        task.cancel()
