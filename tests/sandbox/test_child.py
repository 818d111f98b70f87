"""One child: calls, requests, deadlines, and that nothing is left of it."""

import asyncio
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from relay.errors import RelayError
from relay.sandbox import child as child_module
from relay.sandbox import deno, frames
from relay.sandbox.errors import Crashed, NotInstalled, Reason, SandboxError, Thrown, TimedOut, TooLarge
from tests.sandbox.house import LIMITS, MB, WORKER, child, code, spawn


async def echo(request: dict[str, Any]) -> dict[str, Any]:
    return request


async def never(_request: dict[str, Any]) -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


async def refuse(_request: dict[str, Any]) -> dict[str, Any]:
    raise RelayError("not to there")


SHORT = msgspec.structs.replace(LIMITS, seconds=1)


# values and errors

VALUES = [
    None,
    True,
    [],
    {},
    "",
    "é\u2028\U0001f600\u0000\\ud800\\",
    -0.5,
    2**53 - 1,
    1e300,
    {"a": {"b": [1, None, {"": [[]]}]}, "__proto__": 1},
    "x" * 65_500,
    "\U0001f600" * 300_000,
    [{"event": "Order Completed", "n": n} for n in range(50_000)],
]


async def test_a_value_comes_back_as_it_was() -> None:
    async with child() as one:
        for value in VALUES:
            assert await one.call(code("return message.value", value=value)) == value


@pytest.mark.parametrize("around", range(65_536 - 40, 65_536 + 40, 5))
async def test_a_message_may_end_wherever_a_pipe_is_cut(around: int) -> None:
    async with child() as one:
        texts = ["x" * around, "y" * 7, "z" * around]
        calls = [one.call(code("return message.text", text=text)) for text in texts]
        assert await asyncio.gather(*calls) == texts


async def test_half_a_character_comes_back_as_the_sign_for_one() -> None:
    async with child() as one:
        text = r"return ['\ud83d', '\udc00x', '\ud83d\ude00', '\\ud83d', '\\\\\ud83d', { '\ud83d': 1 }]"
        sign = "\ufffd"
        expected = [sign, f"{sign}x", "\U0001f600", "\\ud83d", f"\\\\{sign}", {sign: 1}]
        assert await one.call(code(text)) == expected


async def test_nothing_returned_is_null() -> None:
    async with child() as one:
        assert await one.call(code("return undefined")) is None


async def test_an_error_is_told_with_its_name_message_code_status_and_stack() -> None:
    text = "throw Object.assign(new TypeError('no such list'), { code: 'LIST', status: 404 })"
    async with child() as one:
        with pytest.raises(Thrown, match="no such list") as caught:
            await one.call(code(text))
    report = caught.value.report
    assert (report.name, report.message, report.code, report.status) == (
        "TypeError",
        "no such list",
        "LIST",
        404,
    )
    assert report.stack.startswith("TypeError: no such list\n    at ")


async def test_an_operation_that_is_not_there_is_an_error_that_names_it() -> None:
    async with child() as one:
        for name in ("missing", "toString", "__proto__"):
            with pytest.raises(Thrown, match=f"no handler for {name}"):
                await one.call({"op": name})


async def test_a_message_over_the_limit_of_a_frame_is_not_sent() -> None:
    async with child() as one:
        with pytest.raises(TooLarge):
            await one.call(code("return 1", text="x" * LIMITS.frame_bytes))
        assert await one.call(code("return 1")) == 1


async def test_an_answer_over_the_limit_of_a_frame_is_an_error_of_its_call() -> None:
    async with child() as one:
        with pytest.raises(Thrown, match="bytes, 4194304 are allowed"):
            await one.call(code("return 'x'.repeat(5e6)"))
        assert await one.call(code("return 1")) == 1


def test_all_of_it_works_on_the_loop_that_relay_runs_on() -> None:
    async def main() -> None:
        async with child() as one:
            for value in VALUES:
                call = code("return (await http(message)).value", value=value)
                assert await one.call(call, on_http=echo) == value
        async with child(SHORT) as one:
            with pytest.raises(Crashed):
                await one.call(code("for (;;) {}"))
            assert await one.ended is Reason.BLOCKED

    uvloop.run(main())


# requests

FETCH = "return await http({ url: message.url, body: message.body })"


async def test_relay_does_the_requests_of_the_code() -> None:
    async with child() as one:
        call = code(FETCH, url="https://example.com/", body="é")
        assert await one.call(call, on_http=echo) == {"url": "https://example.com/", "body": "é"}


async def test_more_requests_than_are_open_at_a_time_wait_in_the_child() -> None:
    open_now = most = 0

    async def count(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0)
        open_now -= 1
        return request

    text = "return (await Promise.all(Array.from({ length: 1000 }, (_, n) => http({ n })))).map((it) => it.n)"
    async with child() as one:
        assert await one.call(code(text), on_http=count) == list(range(1000))
    assert 1 < most <= child_module.REQUESTS


async def test_what_relay_refuses_is_thrown_in_the_code() -> None:
    async with child() as one:
        text = "try { await http({}) } catch (error) { return [error.name, error.message] }"
        assert await one.call(code(text), on_http=refuse) == ["RelayError", "not to there"]
        assert await one.call(code(text)) == ["RelayError", "this code may not send requests"]


async def test_an_answer_of_the_network_that_fits_no_frame_is_thrown_in_the_code() -> None:
    async def large(_request: dict[str, Any]) -> dict[str, Any]:
        return {"body": "x" * LIMITS.frame_bytes}

    async with child() as one:
        text = "try { await http({}) } catch (error) { return error.name }"
        assert await one.call(code(text), on_http=large) == "TooLarge"


async def test_a_fault_of_relay_in_a_request_is_told_to_who_called() -> None:
    async def broken(_request: dict[str, Any]) -> dict[str, Any]:
        raise KeyError("of our own")

    async with child() as one:
        with pytest.raises(KeyError):
            await one.call(code(FETCH), on_http=broken)
        assert await one.call(code("return 1")) == 1


async def test_a_request_that_takes_too_long_is_not_a_call_that_did() -> None:
    async def slow(_request: dict[str, Any]) -> dict[str, Any]:
        raise TimeoutError("of the vendor")

    async with child() as one:
        with pytest.raises(TimeoutError, match="of the vendor"):
            await one.call(code(FETCH), on_http=slow)


async def test_after_its_answer_a_call_can_send_nothing() -> None:
    async with child() as one:
        await one.call(code("globalThis.kept = http; return 1"), on_http=echo)
        with pytest.raises(Thrown, match="a request after the answer"):
            await one.call(code("return await kept({})"), on_http=echo)


async def test_requests_that_nobody_waited_for_end_with_their_call() -> None:
    async with child() as one:
        for _ in range(3):  # they would use up what may be open, did one side not know that they have ended
            assert await one.call(code("for (let n = 0; n < 60; n++) http({}); return 1"), on_http=never) == 1
            assert one._requests == {}
        assert await one.call(code(FETCH, url="u", body="b"), on_http=echo) == {"url": "u", "body": "b"}


# time

HANG = "await new Promise(() => {})"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may let a child wait longer than it has for an answer."""
    monkeypatch.setattr(child_module, "PONG_SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
async def test_a_call_that_hangs_times_out_alone() -> None:
    async with child(SHORT) as one:
        with pytest.raises(TimedOut, match=r"longer than 1 s$"):
            await one.call(code(HANG))
        one.limits = LIMITS
        assert await one.call(code("return 1")) == 1
        assert not one.ended.done()


@pytest.mark.usefixtures("patient")
async def test_a_call_whose_answer_takes_too_long_to_read_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with child(SHORT) as one:
        with monkeypatch.context() as patch:
            patch.setattr(frames, "decode", never)
            with pytest.raises(TimedOut):
                await one.call(code("return 1"))
        one.limits = LIMITS
        assert await one.call(code("return 1")) == 1


async def test_a_call_that_calculates_without_end_costs_the_process() -> None:
    async with child(SHORT) as one:
        with pytest.raises(Crashed):
            await one.call(code("for (;;) {}"))
        assert await one.ended is Reason.BLOCKED


async def test_a_call_may_be_given_up_and_its_requests_with_it() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(_request: dict[str, Any]) -> dict[str, Any]:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return {}

    async with child() as one:
        call = asyncio.create_task(
            one.call(code("try { await http({}) } finally { await http({}) }"), on_http=wait)
        )
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await ended.wait()
        assert await one.call(code("return 1")) == 1


@pytest.mark.usefixtures("patient")
async def test_a_child_is_worn_after_many_calls_that_were_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "WORN_AFTER", 2)
    async with child(SHORT) as one:
        for is_worn in (False, True):
            with pytest.raises(TimedOut):
                await one.call(code(HANG))
            assert one.is_worn is is_worn


async def test_messages_to_a_child_that_does_not_read_wait_outside_of_memory() -> None:
    await _unread()


def test_they_do_so_on_the_loop_that_relay_runs_on() -> None:
    uvloop.run(_unread())


async def _unread() -> None:
    limits = msgspec.structs.replace(LIMITS, seconds=30)
    async with child(limits) as one:
        text = code("for (;;) {}", more="x" * 1_000_000)
        calls = [asyncio.create_task(one.call(text)) for _ in range(32)]
        await asyncio.sleep(0)
        assert one._pipes.unsent < 3 * MB
        one.kill(Reason.BLOCKED)
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Crashed}


# start and end


async def test_a_child_can_read_the_files_it_was_given_and_no_others(tmp_path: Path) -> None:
    given, other = tmp_path / "given.txt", tmp_path / "other.txt"
    given.write_text("given")
    other.write_text("other")
    async with child(readable=[given]) as one:
        assert await one.call(code("return Deno.readTextFileSync(message.path)", path=str(given))) == "given"
        with pytest.raises(Thrown, match="Requires read access"):
            await one.call(code("return Deno.readTextFileSync(message.path)", path=str(other)))


async def test_a_file_with_a_comma_in_its_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="a comma in its path"):
        await spawn(readable=[tmp_path / "a,b"])


async def test_a_script_that_does_not_start_says_why(tmp_path: Path) -> None:
    script = tmp_path / "broken.mjs"
    script.write_text("throw new Error('no bundle')")
    with pytest.raises(Crashed, match="no bundle"):
        await deno.start("a test", script, LIMITS)


async def test_a_script_that_is_never_ready_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "START_SECONDS", 0.5)
    script = tmp_path / "endless.mjs"
    script.write_text("for (;;) {}")
    with pytest.raises(Crashed) as caught:
        await deno.start("a test", script, LIMITS)
    assert caught.value.reason is Reason.BLOCKED


async def test_without_deno_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deno", None)
    with pytest.raises(NotInstalled, match=r"^a bridge needs Deno: pip install 'relay\[integrations\]'$"):
        await deno.start("a bridge", WORKER, LIMITS)


async def test_a_call_to_a_child_that_has_gone_is_a_crash() -> None:
    async with child() as one:
        await one.stop()
        with pytest.raises(Crashed):
            await one.call(code("return 1"))


async def test_nothing_is_left_of_a_child() -> None:
    pids = []
    for text in ("return 1", "Deno.exit(3)", "for (;;) {}"):
        async with child(SHORT) as one:
            pids.append(one.pid)
            await asyncio.gather(one.call(code(text)), return_exceptions=True)
    for pid in pids:
        with pytest.raises(ProcessLookupError):  # a zombie would still be there
            os.kill(pid, 0)


async def test_the_layers_of_the_launcher_are_known() -> None:
    async with child() as one:
        await one.call(code("return 1"))
        assert set(one.layers) <= {"no_new_privs", "landlock", "seccomp"}
        assert one.layers or sys.platform != "linux"


RELAY = """
import asyncio, sys
sys.path.insert(0, {root!r})
from tests.sandbox.house import code, spawn

async def main():
    one = await spawn()
    print(one.pid, flush=True)
    await asyncio.gather(one.call(code("for (;;) {{}}")), asyncio.sleep(600))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child ends when it next reads")
def test_a_child_dies_with_relay() -> None:
    root = str(Path(__file__).resolve().parents[2])
    relay = subprocess.Popen([sys.executable, "-c", RELAY.format(root=root)], stdout=subprocess.PIPE)
    assert relay.stdout is not None
    child_end = os.pidfd_open(int(relay.stdout.readline()))
    relay.kill()
    relay.wait()
    relay.stdout.close()
    ended, _, _ = select.select([child_end], [], [], 60)
    os.close(child_end)
    assert ended, "the child outlived relay"
