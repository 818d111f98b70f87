"""Starts a Deno child without permissions: no network, files, environment, processes, and no prompt for them.

Deno is the wheel of that name, found when it is first needed. It links to a handful of libraries; the loader
itself says which, so that nothing else has to be readable.
"""

import asyncio
import functools
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from relay.sandbox.child import REQUESTS, Child
from relay.sandbox.errors import NotInstalled, SandboxError
from relay.sandbox.limits import Limits

LAUNCHER = Path(__file__).with_name("launcher.py")
FRAMES = Path(__file__).with_name("frames.mjs")
FLAGS = (
    *("--quiet", "--no-prompt", "--no-remote", "--no-npm", "--no-config", "--no-lock"),
    *("--cached-only", "--no-code-cache"),
)
ENVIRONMENT = (
    "DENO_DIR=/nowhere",  # without it Deno asks for a home directory, and ends
    "NO_COLOR=1",  # in what it says when it cannot start
)


def binary(what: str) -> str:
    """Where Deno is. Raises NotInstalled, which says that `what` needs it."""
    try:
        return str(importlib.import_module("deno").find_deno_bin())
    except (ImportError, FileNotFoundError) as error:
        raise NotInstalled(what) from error


@functools.cache
def libraries(program: str) -> tuple[str, ...]:
    """The loader and the shared libraries of `program`, with their full paths."""
    if sys.platform != "linux":
        return ()
    environment = {"LD_TRACE_LOADED_OBJECTS": "1"}  # what ldd does
    done = subprocess.run(  # noqa: S603
        [program, "--version"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return tuple(re.findall(r"(?:^|[\s>])(/\S+) \(0x", done.stdout.decode("utf-8", "replace")))


def command(
    program: str,
    script: Path,
    limits: Limits,
    *,
    modules: Sequence[Path] = (),
    readable: Sequence[Path] = (),
    arguments: Sequence[str] = (),
) -> list[str]:
    """The launcher with what Deno is started with. `modules`: what `script` imports, beside frames.mjs.

    `arguments` are the script's own, after the sizes of frames. `readable`: files that its code may read. Whatever is not named cannot even be read by Deno itself.
    """
    files = (program, *libraries(program), *map(str, (FRAMES, script, *modules, *readable)))
    for path in readable:
        if "," in str(path):  # Deno would take it for two
            raise SandboxError(f"{path}: code cannot be given a file with a comma in its path")
    allowed = ",".join(map(str, readable))
    sizes = {"frameBytes": limits.frame_bytes, "requests": REQUESTS}
    return [
        *(sys.executable, "-I", "-S", str(LAUNCHER)),
        *(str(os.getpid()), str(limits.nice), *ENVIRONMENT, *files, "--"),
        *(program, "run", *FLAGS, f"--v8-flags=--max-old-space-size={limits.heap_mb}"),
        *([f"--allow-read={allowed}"] if readable else ()),
        *(str(script), orjson.dumps(sizes).decode(), *arguments),
    ]


async def start(
    what: str,
    script: Path,
    limits: Limits,
    *,
    modules: Sequence[Path] = (),
    readable: Sequence[Path] = (),
    arguments: Sequence[str] = (),
) -> Child:
    """A child that runs `script` and is ready. Raises NotInstalled (`what` is its subject) and Crashed."""
    program = binary(what)
    await asyncio.to_thread(libraries, program)
    line = command(program, script, limits, modules=modules, readable=readable, arguments=arguments)
    return await Child.start(line, limits)
