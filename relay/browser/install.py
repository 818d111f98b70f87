"""Installs Segment's own analytics.js: npm fetches the one package, by its version and hash, and nothing of it is run.

Where packages come from is npm's affair: `registry` in .npmrc or NPM_CONFIG_REGISTRY for a mirror, HTTPS_PROXY for a
proxy. A version is there whole or not at all; an installation that was broken off leaves a folder `work-*`, which the next
one removes.
"""

import base64
import fcntl
import hashlib
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import msgspec

from relay.browser.analytics_next import LICENCE, PACKAGE, SCRIPT, SERVED, VERSION, versions
from relay.errors import RelayError
from relay.npm import CannotBuild, run_npm

INTEGRITY = "sha512-5l7cPBzScxhfJ0zdcKQI4daDvMIWWUk7hClT1xGRelnHUltIEoQ9w8+ZpFPoWJMpX8D7IA1nVAfJbpiKi3XaKw=="

_PACKED = "dist/umd"  # where in the package the files are that pages load
_QUIET = ("--ignore-scripts", "--no-update-notifier", "--fetch-retries=1")
_BROTLI = """
const fs = require("fs"), zlib = require("zlib")
for (const name of fs.readdirSync(".").filter((it) => it.endsWith(".js")))
  fs.writeFileSync(name + ".br", zlib.brotliCompressSync(fs.readFileSync(name)))
"""
_MIRROR = "; behind a mirror, name it in NPM_CONFIG_REGISTRY or as `registry` in .npmrc"
_SAYINGS = [  # npm's codes, and what an operator should know
    (
        r"\b(?:ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b",
        "npm's registry cannot be reached",
    ),
    (r"\b(?:E404|ETARGET)\b", "npm's registry does not have it"),
    (r"\bEINTEGRITY\b", "it does not have the hash that the registry names"),
]


class CannotInstall(RelayError):
    """Nothing was installed; the sentence says what to do."""


class Outcome(msgspec.Struct, frozen=True):
    """`was_there`: nothing had to be done. `files`: how many can be served."""

    folder: Path
    files: int
    was_there: bool


def install(root: Path) -> Outcome:
    """Have the version that comes with this relay in `root`. Raises CannotInstall."""
    target = root / VERSION
    with _alone(root):
        was_there = target in versions(root)
        if not was_there:
            _install(root, target)
        n_files = sum(SERVED.fullmatch(file.name) is not None for file in target.iterdir())
        return Outcome(target, n_files, was_there)


def _install(root: Path, target: Path) -> None:
    for left in root.glob("work-*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix="work-", dir=root) as name:
        work = Path(name).absolute()  # npm is run in there
        made = work / VERSION
        made.mkdir()
        _unpack(_fetched(work), made)
        _npm(("node", "-e", _BROTLI), made)
        _sync(made)
        if target.exists():  # without its script: somebody has spoilt it
            target.rename(work / "replaced")
        made.rename(target)


def _fetched(work: Path) -> Path:
    _npm(("npm", "pack", f"{PACKAGE}@{VERSION}", *_QUIET, "--cache", str(work / "cache")), work)
    found = next(work.glob("*.tgz"))
    digest = base64.b64encode(hashlib.sha512(found.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != INTEGRITY:
        raise CannotInstall(
            f"{PACKAGE} {VERSION} does not have the hash that comes with relay: it was tampered with, or the mirror"
            " changes packages; nothing was installed"
        )
    return found


def _unpack(tarball: Path, folder: Path) -> None:
    with tarfile.open(tarball) as archive:
        for member in archive:
            path = PurePosixPath(member.name).relative_to("package")
            is_served = str(path.parent) == _PACKED and SERVED.fullmatch(path.name)
            content = archive.extractfile(member) if is_served or str(path) == LICENCE else None
            if content is not None:
                (folder / path.name).write_bytes(content.read())
    if not (folder / SCRIPT).is_file():
        raise CannotInstall(f"{PACKAGE} {VERSION} has no {_PACKED}/{SCRIPT}; nothing was installed")


def _npm(command: tuple[str, ...], folder: Path) -> None:
    try:
        run_npm(command, folder)
    except CannotBuild as error:
        raise CannotInstall(f"{PACKAGE} {VERSION} was not installed: {sentence(str(error))}") from None


def sentence(said: str) -> str:
    """What npm said, for an operator."""
    return next((f"{told}{_MIRROR}" for pattern, told in _SAYINGS if re.search(pattern, said)), said)


def _sync(folder: Path) -> None:
    for path in (*folder.iterdir(), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Nobody else installs meanwhile, and what the disk says no to is a sentence."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(root, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)
    except BlockingIOError:
        raise CannotInstall(f"another installation is under way in {root}") from None
    except OSError as error:
        raise CannotInstall(
            f"{error.filename or 'the disk'}: {error.strerror}; nothing was installed"
        ) from None
