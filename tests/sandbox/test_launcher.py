"""What the launcher takes away, from code that Deno would let do anything, and from whatever machine this is."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from relay.sandbox import deno, launcher

PROGRAM = deno.binary("a test")
LAUNCH = (sys.executable, "-I", "-S", str(deno.LAUNCHER))
WITHOUT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("launcher", sys.argv[1])
launcher = importlib.util.module_from_spec(spec)
spec.loader.exec_module(launcher)
launcher.{layer} = lambda *arguments: False
launcher.main(sys.argv[2:])
"""


def layers() -> frozenset[str]:
    """What holds on this machine."""
    return frozenset(_run(["/bin/true"], ("/",)).stderr.split())


def _run(
    command: Sequence[str], files: Sequence[str], launch: Sequence[str] = LAUNCH
) -> subprocess.CompletedProcess[str]:
    given = [*launch, str(os.getpid()), "10", *deno.ENVIRONMENT, *files, "--", *command]
    return subprocess.run(
        given, env={"SECRET": "s"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def allowed(script: Path, code: str, launch: Sequence[str] = LAUNCH) -> str:
    """What `code` prints when Deno lets it do everything."""
    script.write_text(
        f"try {{ const it = await (async () => {{ {code} }})(); console.log('DONE', it); }}"
        "catch (error) { console.log('REFUSED', error.message); }"
    )
    files = (PROGRAM, *deno.libraries(PROGRAM), str(script))
    done = _run([PROGRAM, "run", *deno.FLAGS, "-A", str(script)], files, launch)
    assert done.returncode == 0, done.stderr
    return done.stdout


READS = {
    "a file": "return Deno.readTextFileSync('/etc/passwd')",
    "a folder": "return [...Deno.readDirSync('/')]",
    "its parent's environment": "return Deno.readTextFileSync(`/proc/${Deno.ppid}/environ`)",
}
SOCKETS = {
    "TCP": "await Deno.connect({ hostname: '127.0.0.1', port: 9 })",
    "a name": "await Deno.resolveDns('localhost', 'A')",
    "a server": "Deno.listen({ hostname: '127.0.0.1', port: 0 })",
    "a unix socket": "await Deno.connect({ transport: 'unix', path: '/run/x' })",
    "a socket of libc": """
        const libc = Deno.dlopen('libc.so.6', { socket: { parameters: ['i32', 'i32', 'i32'], result: 'i32' } });
        if (libc.symbols.socket(2, 1, 0) < 0) throw new Error('Operation not permitted')""",
}
OTHERS = {
    "a process": "return new Deno.Command(Deno.execPath()).outputSync()",
    "a fork": """
        const libc = Deno.dlopen('libc.so.6', { fork: { parameters: [], result: 'i32' } });
        if (libc.symbols.fork() < 0) throw new Error('Operation not permitted')""",
    "a signal to its parent": "Deno.kill(Deno.ppid, 'SIGCONT')",
    "a limit of its parent": """
        const libc = Deno.dlopen('libc.so.6', { setpriority: { parameters: ['i32', 'i32', 'i32'], result: 'i32' } });
        if (libc.symbols.setpriority(0, Deno.ppid, 19) < 0) throw new Error('Operation not permitted')""",
}


@pytest.mark.parametrize("what", READS)
def test_landlock_keeps_code_that_may_do_anything_from_reading(tmp_path: Path, what: str) -> None:
    said = allowed(tmp_path / "x.mjs", READS[what])
    if "landlock" in layers():
        assert said.startswith("REFUSED Permission denied"), said
    else:
        assert _says_what_is_missing("landlock")


@pytest.mark.parametrize("what", SOCKETS)
def test_it_keeps_code_that_may_do_anything_from_sockets(tmp_path: Path, what: str) -> None:
    said = allowed(tmp_path / "x.mjs", SOCKETS[what])
    if "seccomp" in layers():
        assert said.startswith("REFUSED"), said
        assert "ermi" in said  # Operation not permitted, Permission denied
    else:
        assert _says_what_is_missing("seccomp")


@pytest.mark.parametrize("what", OTHERS)
def test_it_keeps_code_that_may_do_anything_from_other_processes(tmp_path: Path, what: str) -> None:
    said = allowed(tmp_path / "x.mjs", OTHERS[what])
    if "seccomp" in layers():
        assert said.startswith("REFUSED"), said
    else:
        assert _says_what_is_missing("seccomp")


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_with_one_layer_alone_nothing_is_written(tmp_path: Path, layer: str) -> None:
    other = {"landlock": "seccomp", "seccomp": "landlock"}[layer]
    if layer not in layers():
        assert _says_what_is_missing(layer)
        return
    launch = (sys.executable, "-I", "-S", "-c", WITHOUT.format(layer=other), str(deno.LAUNCHER))
    target = tmp_path / "target"
    target.write_text("before")
    for code in (
        f"Deno.writeTextFileSync('{target}', 'after')",
        f"Deno.removeSync('{target}')",
        f"Deno.renameSync('{target}', '{target}2')",
        f"Deno.mkdirSync('{target}3')",
        f"Deno.truncateSync('{target}')",
    ):
        assert allowed(tmp_path / "x.mjs", code, launch).startswith("REFUSED"), code
    assert target.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["target", "x.mjs"]


def test_modes_and_times_of_files_stay(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.touch(0o600)
    before = target.stat()
    for code in (f"Deno.chmodSync('{target}', 0o777)", f"Deno.utimeSync('{target}', 1, 1)"):
        said = allowed(tmp_path / "x.mjs", code)
        assert said.startswith("REFUSED") or "seccomp" not in layers()
    after = target.stat()
    if "seccomp" in layers():
        assert (after.st_mode, after.st_mtime) == (before.st_mode, before.st_mtime)
    else:
        assert _says_what_is_missing("seccomp")


def _says_what_is_missing(layer: str) -> bool:
    done = _run(["/bin/true"], ())
    return layer not in done.stderr.splitlines()[0].split()


def test_it_says_which_layers_hold_and_that_one_does_not() -> None:
    launch = (sys.executable, "-I", "-S", "-c", WITHOUT.format(layer="landlock"), str(deno.LAUNCHER))
    done = _run(["/bin/true"], (), launch)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        " ".join(one for one in ("no_new_privs", "seccomp") if one in layers())
    ]


def test_the_environment_is_what_was_given_and_the_directory_the_root(tmp_path: Path) -> None:
    said = allowed(tmp_path / "x.mjs", "return JSON.stringify([Deno.env.toObject(), Deno.cwd()])")
    given = dict(one.split("=", 1) for one in deno.ENVIRONMENT)
    assert json.loads(said.removeprefix("DONE ")) == [given, "/"]


def test_it_has_lower_priority_and_its_own_session(tmp_path: Path) -> None:
    code = """
        const it = { parameters: ['i32', 'i32'], result: 'i32' }, one = { parameters: ['i32'], result: 'i32' };
        const libc = Deno.dlopen('libc.so.6', { getpriority: it, getsid: one }).symbols;
        return [libc.getpriority(0, 0), libc.getsid(0) === Deno.pid]"""
    assert allowed(tmp_path / "x.mjs", code) == f"DONE [ {os.getpriority(os.PRIO_PROCESS, 0) + 10}, true ]\n"


def test_a_command_that_is_not_there_is_said_to_be_not_there() -> None:
    done = _run(["/nowhere/deno"], ())
    assert done.returncode == 127
    assert done.stderr.splitlines()[-1] == os.strerror(errno.ENOENT)


def test_without_the_parent_it_does_not_start() -> None:
    done = subprocess.run([*LAUNCH, "0", "10", "--", "/bin/true"], capture_output=True, check=False)
    assert done.returncode == (126 if sys.platform == "linux" else 0)


# the filter, as the kernel would run it: also for the machine that this is not


def verdict(machine: str, number: int, arguments: Sequence[int] = (), architecture: int | None = None) -> int:
    """What the filter returns for a system call of process 77."""
    program = list(launcher.instructions(machine, 77))
    data = {0: number, 4: launcher.MACHINES[machine][0] if architecture is None else architecture}
    data |= {16 + 8 * place: value & 0xFFFFFFFF for place, value in enumerate((*arguments, *(0,) * 6)[:6])}
    at = value = 0
    while True:
        code, yes, no, k = program[at]
        if code == launcher.RETURN:
            return k
        if code == launcher.LOAD:
            value = data[k]
        else:
            is_met = {
                launcher.EQUAL: value == k,
                launcher.GREATER: value > k,
                launcher.ANY_BIT: bool(value & k),
            }[code]
            at += yes if is_met else no
        at += 1


MACHINES = ("x86_64", "aarch64")
REFUSED = launcher.ERRNO | errno.EPERM
ABSENT = launcher.ERRNO | errno.ENOSYS


def numbers(table: dict[str, tuple[int | None, int | None]], machine: str) -> Iterator[int]:
    for both in table.values():
        number = both[MACHINES.index(machine)]
        if number is not None:
            yield number


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_of_the_list_is_refused(machine: str) -> None:
    assert {verdict(machine, number) for number in numbers(launcher.DENIED, machine)} == {REFUSED}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_number_stands_for_one_call_only(machine: str) -> None:
    found = [*numbers(launcher.DENIED, machine), *numbers({**launcher.MISSING}, machine)]
    found += [both[MACHINES.index(machine)] for both, _, _ in launcher.ALLOWED_IF.values()]
    assert len(found) == len(set(found))


# read, write, close, mmap, mprotect, munmap, futex, exit_group, clock_nanosleep, getrandom, epoll_pwait, execve
USUAL = {
    "x86_64": (0, 1, 3, 9, 10, 11, 202, 231, 230, 318, 281, 59),
    "aarch64": (63, 64, 57, 222, 226, 215, 98, 94, 115, 278, 22, 221),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_what_every_program_needs_is_allowed(machine: str) -> None:
    assert {verdict(machine, number) for number in USUAL[machine]} == {launcher.ALLOW}


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("kill", (77, 9), launcher.ALLOW),
        ("kill", (78, 9), REFUSED),
        ("kill", (-1, 9), REFUSED),
        ("tgkill", (77, 78, 6), launcher.ALLOW),
        ("tgkill", (1, 1, 9), REFUSED),
        ("prlimit64", (0,), launcher.ALLOW),
        ("prlimit64", (77,), launcher.ALLOW),
        ("prlimit64", (1,), REFUSED),
        ("sched_setaffinity", (0,), launcher.ALLOW),
        ("sched_setaffinity", (1,), REFUSED),
        ("socketpair", (1, 1, 0), launcher.ALLOW),
        ("socketpair", (2, 1, 0), REFUSED),
    ],
)
@pytest.mark.parametrize("machine", MACHINES)
def test_some_calls_are_for_the_process_itself(
    machine: str, call: str, arguments: Sequence[int], expected: int
) -> None:
    assert verdict(machine, launcher.ALLOWED_IF[call][0][MACHINES.index(machine)], arguments) == expected


@pytest.mark.parametrize(("machine", "clone", "openat"), [("x86_64", 56, 257), ("aarch64", 220, 56)])
def test_threads_and_reading_are_allowed_processes_and_writing_are_not(
    machine: str, clone: int, openat: int
) -> None:
    assert verdict(machine, clone, (0x3D0F00,)) == launcher.ALLOW  # what pthread_create asks for
    assert verdict(machine, clone, (17,)) == REFUSED  # what fork asks for
    assert verdict(machine, 435) == ABSENT
    assert verdict(machine, openat, (0, 0, os.O_RDONLY | os.O_CLOEXEC)) == launcher.ALLOW
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC):
        assert verdict(machine, openat, (0, 0, flags)) == REFUSED


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_tomorrow_and_of_another_machine_are_none(machine: str) -> None:
    assert verdict(machine, launcher.NEWEST + 1) == ABSENT
    assert verdict(machine, 0x40000000 | 41) == ABSENT  # the x32 name of socket
    assert verdict(machine, 0, architecture=0x40000003) == launcher.KILL_PROCESS  # i386
