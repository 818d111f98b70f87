"""Code that means harm: what becomes of it, and that two calls beside it in the same process get their answers.

Delays are printed, not asserted: `pytest -s` shows how long the neighbours waited and the loop was held up.
"""

import asyncio
import time
from typing import Any

import msgspec
import pytest

from relay.sandbox.errors import Crashed, Reason, SandboxError, Thrown, TimedOut
from relay.sandbox.pool import Pool
from tests.sandbox.house import LIMITS, MB, Neighbour, code, longest_gap, pool, run


async def beside(house: Pool, text: str, what: str) -> Any:
    """What came of `text`, beside two others whose answers are right in the end; the house works on."""
    neighbours = [Neighbour(house, number) for number in (1, 2)]
    for neighbour in neighbours:
        await neighbour.begun.wait()
    assert house.status().children == 1
    began = time.perf_counter()
    async with longest_gap() as gaps:
        came = await _outcome(house, text)
        own = time.perf_counter() - began
        for neighbour in neighbours:
            neighbour.release()
        for neighbour in neighbours:
            assert await neighbour.answer == neighbour.right
    waited = max(neighbour.ended_at for neighbour in neighbours) - began
    print(f"\n{what}: {own:.2f} s; neighbours {waited:.2f} s; longest gap of the loop {gaps[0]:.0f} ms")  # noqa: T201  shown, not asserted
    assert await run(house, "return 'works'") == "works"
    return came, [neighbour.runs for neighbour in neighbours]


async def _outcome(house: Pool, text: str) -> Any:
    try:
        return await run(house, text)
    except SandboxError as error:
        return error


LOOPS = {
    "an endless loop": "for (;;) {}",
    "a regular expression without end": "return /^(a+)+$/.test('a'.repeat(40) + '!')",
}
BOMBS = {
    "a heap bomb": "const all = []; for (;;) all.push(new Array(1000).fill(all.length))",
    "promises without end": "const on = () => Promise.resolve().then(on); on(); on(); await new Promise(() => {})",
    "an array of three gigabytes": "return new Array(4e8).fill(0).length",
    "an answer of 200 MB": "return 'x'.repeat(200e6)",
    "an answer of 200 MB in pieces": "return new Array(200).fill('x'.repeat(1e6))",
}
ALLOCATIONS = {
    "an ArrayBuffer bomb": "const all = []; for (;;) all.push(new Uint8Array(16e6).fill(1))",
    "a WebAssembly bomb": "const all = []; for (;;) all.push(new WebAssembly.Memory({ initial: 1000 }))",
}
EXITS = {
    "Deno.exit(0)": "Deno.exit(0)",
    "Deno.exit(7)": "Deno.exit(7)",
    "process.exit": "(await import('node:process')).exit(0)",
    "process.abort": "(await import('node:process')).abort()",
    "a closed stdin": "Deno.stdin.close(); await new Promise(() => {})",
}
WRITE = "const send = (data) => Deno.stdout.writeSync(data);"
FRAME = (
    "const send = (frame) => { const body = new TextEncoder().encode(JSON.stringify(frame));"
    "const data = new Uint8Array(4 + body.length); new DataView(data.buffer).setUint32(0, body.length);"
    "data.set(body, 4); Deno.stdout.writeSync(data); };"
)
WAIT = "await new Promise(() => {})"
FORGERIES = {
    "a frame of 200 MB": f"{WRITE} send(new Uint8Array([12, 0, 0, 0])); {WAIT}",
    "garbage without end": f"{WRITE} for (;;) send(new Uint8Array(65536))",
    "JSON that is no frame": f"{FRAME} send([1]); {WAIT}",
    "an answer to nobody": f"{FRAME} send({{ type: 'ok', id: 999999 }}); {WAIT}",
    "pongs without end": f"{FRAME} for (;;) send({{ type: 'pong', id: 1 }})",
    "ready again": f"{FRAME} send({{ type: 'ready' }}); {WAIT}",
    "a toJSON for all": "Object.prototype.toJSON = () => 'gone'; return { a: 1 }",
    "an answer a thousand levels deep": "let all = []; for (let i = 0; i < 3000; i++) all = [all]; return all",
    "an answer of a million nothings": "return new Array(1.3e6).fill([])",
}
REFUSED = {
    "a file": "return Deno.readTextFileSync('/etc/passwd')",
    "a file of the worker": "return Deno.readTextFileSync(new URL(Deno.mainModule))",
    "its environment": "return Deno.env.toObject()",
    "its environment as a file": "return Deno.readTextFileSync('/proc/self/environ')",
    "the environment in process": "return (await import('node:process')).env.PATH.length",
    "fetch": "return (await fetch('http://127.0.0.1:9/')).status",
    "a socket": "return await Deno.connect({ hostname: '127.0.0.1', port: 9 })",
    "a WebSocket": "return new WebSocket('ws://127.0.0.1:9/').readyState",
    "a socket of node": (
        "const { connect } = await import('node:net');"
        "return await new Promise((good, bad) => connect(9, '127.0.0.1').on('error', bad).on('connect', good))"
    ),
    "a name": "return await Deno.resolveDns('localhost', 'A')",
    "a server": "return Deno.listen({ hostname: '127.0.0.1', port: 0 }).addr",
    "a process": "return new Deno.Command('/bin/true').outputSync().code",
    "a signal to relay": "return Deno.kill(Deno.ppid, 'SIGKILL')",
    "a signal of node to relay": "return (await import('node:process')).kill(Deno.ppid, 'SIGKILL')",
    "a library": "return Deno.dlopen('libc.so.6', {})",
    "a module of the machine": "return await import('file:///etc/passwd')",
    "a module of the network": "return await import('https://127.0.0.1:9/x.js')",
    "a thread": "return new Worker('data:text/javascript,')",
}
ODDITIES = {
    "nothing thrown": "throw undefined",
    "an error whose name throws": "throw { get name() { throw 1 } }",
    "recursion without end": "const again = () => again() + 1; return again()",
    "a text without end": "let text = 'x'; for (;;) text += text",
    "an answer in a circle": "const all = {}; all.all = all; return all",
    "an answer with a number that is no JSON": "return 1n",
}
HARMLESS = {
    "a throw in a timer": "setTimeout(() => { throw new Error('x') }); await new Promise((go) => setTimeout(go, 20)); return 1",
    "a rejection nobody sees": "Promise.reject(new Error('x')); await new Promise((go) => setTimeout(go, 20)); return 1",
    "a million lines of log": "for (let i = 0; i < 1e6; i++) console.log('x', i); return 1",
    "a flood on stderr": "for (let i = 0; i < 500; i++) Deno.stderr.writeSync(new Uint8Array(65536)); return 1",
    "no Deno any more": "delete globalThis.Deno; return 1",
}


@pytest.mark.parametrize("what", LOOPS)
async def test_a_loop_ends_with_its_time_and_its_neighbours_are_run_again(what: str) -> None:
    async with pool(msgspec.structs.replace(LIMITS, seconds=5)) as house:
        came, runs = await beside(house, LOOPS[what], what)
    assert isinstance(came, TimedOut)
    assert runs == [2, 2]


@pytest.mark.parametrize("what", BOMBS)
async def test_what_takes_too_much_memory_crashes_alone(what: str) -> None:
    async with pool(msgspec.structs.replace(LIMITS, seconds=10)) as house:
        came, runs = await beside(house, BOMBS[what], what)
    if isinstance(came, Crashed):
        assert came.reason in (Reason.MEMORY, Reason.EXITED)  # not every way to die says what it was
    else:
        assert isinstance(came, TimedOut)  # on a machine that is slower than the bomb
    assert runs == [2, 2]


@pytest.mark.parametrize("what", ALLOCATIONS)
async def test_memory_outside_of_the_heap_is_refused_where_the_kernel_counts_it(what: str) -> None:
    async with pool() as house:
        came, _ = await beside(house, ALLOCATIONS[what], what)
    assert isinstance(came, Thrown | Crashed)
    if isinstance(came, Thrown):
        assert came.report.name == "RangeError"


async def test_what_the_data_limit_does_not_see_is_seen_by_the_watch() -> None:
    limits = msgspec.structs.replace(LIMITS, memory_bytes=4096 * MB, rss_bytes=300 * MB)
    async with pool(limits) as house:
        text = "const all = []; for (;;) { all.push(new Uint8Array(16e6).fill(1)); await new Promise((go) => setTimeout(go, 5)) }"
        came, runs = await beside(house, text, "an ArrayBuffer bomb without a data limit")
    assert isinstance(came, Crashed)
    assert came.reason is Reason.MEMORY
    assert runs == [2, 2]


@pytest.mark.parametrize("what", EXITS)
async def test_an_exit_with_whatever_code_is_a_crash(what: str) -> None:
    async with pool() as house:
        came, runs = await beside(house, EXITS[what], what)
    assert isinstance(came, Crashed)
    assert came.reason is Reason.EXITED
    assert runs == [2, 2]


@pytest.mark.parametrize("what", FORGERIES)
async def test_what_is_no_frame_ends_the_process(what: str) -> None:
    async with pool() as house:
        came, runs = await beside(house, FORGERIES[what], what)
    assert isinstance(came, Crashed)
    assert came.reason is Reason.FRAME
    assert runs == [2, 2]


@pytest.mark.parametrize("what", REFUSED)
async def test_nothing_of_the_machine_is_there(what: str) -> None:
    async with pool() as house:
        came, runs = await beside(house, REFUSED[what], what)
    assert isinstance(came, Thrown), came
    assert runs == [1, 1]


@pytest.mark.parametrize("what", ODDITIES)
async def test_odd_ends_are_errors_of_their_call(what: str) -> None:
    async with pool() as house:
        came, runs = await beside(house, ODDITIES[what], what)
    assert isinstance(came, Thrown)
    assert runs == [1, 1]


@pytest.mark.parametrize("what", HARMLESS)
async def test_noise_disturbs_nobody(what: str) -> None:
    async with pool() as house:
        came, runs = await beside(house, HARMLESS[what], what)
    assert came == 1
    assert runs == [1, 1]


async def test_tampering_with_what_all_code_uses_stays_in_its_process() -> None:
    text = """
        const bad = () => { throw new Error('tampered') };
        for (const type of [Array, Map, Promise, String, RegExp, Uint8Array, TextEncoder, TextDecoder, Function]) {
            for (const name of Object.getOwnPropertyNames(type.prototype)) {
                try { if (name !== 'constructor') type.prototype[name] = bad } catch {}
            }
        }
        JSON.parse = JSON.stringify = bad;
        for (const name of ['Promise', 'Uint8Array', 'Map', 'Error', 'Object']) globalThis[name] = bad;
        return 1"""
    async with pool() as house:
        came, _ = await beside(house, text, "tampering")
    assert came == 1 or isinstance(came, SandboxError)


async def test_more_open_requests_than_agreed_end_the_process() -> None:
    text = f"{FRAME} for (let rid = 1e6; rid < 1e6 + 65; rid++) send({{ type: 'http', id: message.id, rid, value: {{}} }}); {WAIT}"

    async def never(_request: dict[str, Any]) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async with pool() as house, house.slot() as slot:
        first = slot._seat.child
        for_own_call = code(text, id=first._last_id + 1)
        with pytest.raises(Crashed) as caught:
            await slot.call(for_own_call, on_http=never)
        assert first.ended.result() is Reason.FRAME
    assert caught.value.reason is Reason.FRAME
