"""Deno as a tool: it fetches packages by a lock and verifies each against its hash.

Where packages come from is Deno's affair, and configured as for npm: `registry` in .npmrc or NPM_CONFIG_REGISTRY for
a mirror, HTTPS_PROXY for a proxy, DENO_CERT for a certificate authority of one's own.
"""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from relay.destinations.bridge.errors import CannotInstall

SUBJECT = "the bridge"  # of the sentence that says that there is no Deno
MOST_WORDS = 60  # of what no sentence is known for

_MIRROR = (
    "behind a mirror, name it in NPM_CONFIG_REGISTRY or as `registry` in .npmrc; a proxy, in HTTPS_PROXY"
)
_KEPT = "install again, what was fetched is kept"
_SAYINGS = [  # what Deno says, by what it contains, and what an operator should know; the first that fits
    (
        r"checksum did not match .* for (?P<name>\S+?)\.?\s",
        "{name} does not have the hash that the lock names: it was tampered with, or the mirror changes packages",
    ),
    (
        r"No space left on device|os error 28|ENOSPC",
        f"the disk is full: nothing was installed; make room, then {_KEPT}",
    ),
    (r"package '(?P<name>\S+)' matching '(?P<version>\S+?)'", "there is no version {version} of {name}"),
    (
        r"package (?:tarball at: |'(?=\S+' does not exist))(?P<name>[^\s']+)",
        f"the registry does not have {{name}}; {_MIRROR}",
    ),
    (
        r"(?:Bad response|status)\W+(?P<status>[45]\d\d)",
        f"the package registry answers {{status}}: {_KEPT}; {_MIRROR}",
    ),
    (
        r"error sending request for url \((?P<host>\w+://[^/)]+)",
        f"the package registry {{host}} cannot be reached: {_KEPT}; {_MIRROR}",
    ),
]


def fetch(folder: Path, cache: Path, seen: Callable[[str], None]) -> None:
    """Fetch what package.json and deno.lock of `folder` say, and nothing else. `seen` is told each line of Deno's."""
    _run(("install", "--frozen", "--node-modules-linker=hoisted"), folder, cache, seen)


def resolve(folder: Path, cache: Path) -> None:
    """Make a deno.lock for the package.json of `folder`."""
    _run(("install", "--lockfile-only"), folder, cache, lambda _: None)


def _run(arguments: Sequence[str], folder: Path, cache: Path, seen: Callable[[str], None]) -> None:
    from relay.sandbox.deno import binary  # noqa: PLC0415  its logging takes long to load, and the help waits

    (folder / "deno.json").write_text("{}")  # so that no configuration of a folder above is looked for
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603
        [binary(SUBJECT), *arguments],
        cwd=folder,
        env=_environment(os.environ, cache),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                lines.append(line)
                seen(line)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise CannotInstall(sentence("".join(lines)))


def _environment(environ: Mapping[str, str], cache: Path) -> dict[str, str]:
    own = {"DENO_DIR": str(cache), "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
    mirror = environ.get("npm_config_registry")  # npm takes both spellings, Deno one
    defaults = {"NPM_CONFIG_REGISTRY": mirror} if mirror else {}
    return {"DENO_TLS_CA_STORE": "mozilla,system", **defaults, **environ, **own}


def sentence(said: str) -> str:
    """What Deno said, for an operator."""
    for pattern, told in _SAYINGS:
        found = re.search(pattern, said)
        if found is not None:
            return told.format(**found.groupdict())
    start = max(said.find("error:"), 0)
    return "Deno could not fetch the packages: " + " ".join(said[start:].split()[:MOST_WORDS])
