"""Where the package is installed, and whether what lies there can be used.

integrations/
  current           the version in use, as text
  3.497.0/          what one version consists of
    bundle.js       the package and all it needs
    bundle.cache    V8's compiled code of it
    catalogue.json  what every destination is
    NOTICES.txt     licences
    package.json    deno.lock   what it was installed by
    manifest.json   SHA-256 of each file; written last
  work-*/           an installation under way, or one that was interrupted
  lock              held while somebody installs

A version's folder appears by one rename, when all is in it.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from relay.destinations.bridge.errors import CannotInstall, NotInstalled

PROGRAMS = Path(__file__).parent  # of the child
NAME = "integrations"  # in the data directory
INSTALL = "`relay destinations install`"

_CURRENT, _LOCK, _MANIFEST = "current", "lock", "manifest.json"


class Manifest(msgspec.Struct, frozen=True):
    """`files` are SHA-256 in hex by name. `is_ours`: installed by the lock that comes with relay."""

    version: str
    packages: int
    is_ours: bool
    files: dict[str, str]


class Installed(msgspec.Struct, frozen=True):
    """A version that is there."""

    folder: Path
    manifest: Manifest

    @property
    def version(self) -> str:
        return self.manifest.version

    def verify(self) -> None:
        """Raises NotInstalled when a file is not what was installed."""
        for name, digest in self.manifest.files.items():
            try:
                found = sha256(self.folder / name)
            except OSError as error:
                raise NotInstalled(f"{self.folder / name}: {error.strerror}; {INSTALL} repairs it") from None
            if found != digest:
                raise NotInstalled(
                    f"{self.folder / name} was changed since it was installed; {INSTALL} repairs it"
                )


def current(root: Path) -> Installed | None:
    """The version in use, None when there is none. Raises NotInstalled when it is broken."""
    root = root.absolute()  # a child is told by its full path which files it may read
    try:
        version = (root / _CURRENT).read_text("utf-8").strip()
    except OSError:
        return None
    found = at(root, version)
    if found is None:
        raise NotInstalled(f"{root / version} is not whole; {INSTALL} repairs it")
    return found


def at(root: Path, version: str) -> Installed | None:
    """A version, None when it is not there or not whole."""
    folder = root / version
    try:
        manifest = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None
    return Installed(folder, manifest) if manifest.version == version else None


def versions(root: Path) -> list[Installed]:
    """All that are there."""
    folders = sorted(root.iterdir()) if root.is_dir() else []
    return [found for folder in folders if folder.is_dir() and (found := at(root, folder.name)) is not None]


def use(root: Path, version: str | None) -> None:
    """From now on this version, or none."""
    if version is None:
        (root / _CURRENT).unlink(missing_ok=True)
        return
    made = root / f"{_CURRENT}.new"
    _write(made, f"{version}\n".encode())
    made.replace(root / _CURRENT)


def seal(folder: Path, version: str, packages: int, *, is_ours: bool) -> None:
    """Write the manifest of a folder, after which it is whole, and all of it to disk."""
    files = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    for name in files:
        _sync(folder / name)
    manifest = Manifest(version, packages, is_ours, files)
    _write(folder / _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    _sync(folder)


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Nobody else installs meanwhile. Raises CannotInstall when somebody does."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise CannotInstall(f"another installation is under way in {root}") from None
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
