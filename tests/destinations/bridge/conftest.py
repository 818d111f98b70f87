"""One installation for all tests here, from the registry, broken off once on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from relay.destinations.bridge import folder
from relay.destinations.bridge.catalogue import Catalogue, read
from relay.destinations.bridge.folder import Installed
from tests.destinations.bridge.child import Child

SECONDS = 250  # for packages of 20 MB in all, twice: see below
FEW = 5  # packages that were fetched before it is broken off


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the installation."""
    for item in items:
        if isinstance(item, pytest.Function) and "installation" in item.fixturenames:
            item.add_marker(pytest.mark.timeout(3 * SECONDS))


class Broken(msgspec.Struct):
    """What an installation that was killed left behind."""

    names: set[str]
    in_use: Installed | None
    fetched: int


class Installation(msgspec.Struct):
    """The folder, what was there when the first try was killed, and how often the second one asked for a package."""

    root: Path
    broken: Broken
    said: str

    @property
    def installed(self) -> Installed:
        found = folder.current(self.root)
        assert found is not None
        return found


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    root = tmp_path_factory.mktemp("bridge") / folder.NAME
    broken = _broken_off(root)
    done = subprocess.run(
        _command(root), cwd=root.parent, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return Installation(root, broken, done.stdout)


@pytest.fixture(scope="session")
def catalogue(installation: Installation) -> Catalogue:
    return read(installation.installed.folder)


@pytest.fixture(scope="session")
def child(installation: Installation) -> Iterator[Child]:
    with Child(installation.installed.folder) as started:
        yield started


def _broken_off(root: Path) -> Broken:
    process = subprocess.Popen(
        _command(root),
        cwd=root.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    until = time.monotonic() + SECONDS
    while len(fetched := _fetched(root)) < FEW:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.005)  # nothing tells when a file has appeared
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    return Broken({path.name for path in root.iterdir()}, folder.current(root), len(fetched))


def _fetched(root: Path) -> list[Path]:
    try:
        return list(root.glob("work-*/cache/npm/*/**/package.json"))
    except FileNotFoundError:  # a folder got its name while it was looked into
        return []


def _command(root: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "relay",
        "destinations",
        "install",
        "--to",
        root.name,
    ]  # a relative folder, as it is by default
