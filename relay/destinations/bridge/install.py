"""From a lock to a version that can be used; upgrading and removing.

Fetch, verify, make one file, load every destination once, seal, rename. An installation that was interrupted leaves
a folder `work-*`: the next one by the same lock goes on with what was fetched, any other removes it. Until the
rename, whatever was in use stays in use.
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import orjson

from relay.destinations.bridge import bundle, catalogue, deno, folder, notices
from relay.destinations.bridge.bundle import PACKAGE
from relay.destinations.bridge.catalogue import Catalogue
from relay.destinations.bridge.errors import CannotInstall, NotInstalled
from relay.destinations.bridge.folder import Installed

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, of how much

NEEDED_BYTES = 350_000_000  # 150 MB of packages, twice where the disk has no hard links, and the bundle
DIGEST_CHARACTERS = 12

NOTICES = "NOTICES.txt"

_PACKAGE_JSON, _LOCK_FILE = "package.json", "deno.lock"
_EXACT = re.compile(r"\d+\.\d+\.\d+(?:-[\w.]+)?")
_DONE = re.compile(r"^(?:Download|Initialize) ")  # two lines of Deno's for each package


class Lock(msgspec.Struct, frozen=True):
    """What is to be installed, every package by its version and hash. `is_ours`: it comes with relay."""

    version: str
    package_json: bytes
    deno_lock: bytes
    is_ours: bool

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.package_json + self.deno_lock).hexdigest()[:DIGEST_CHARACTERS]

    @property
    def packages(self) -> int:
        """How many there are, apart from those for one kind of machine each."""
        return sum("os" not in one for one in orjson.loads(self.deno_lock)["npm"].values())


class Outcome(msgspec.Struct, frozen=True):
    """What is now in use, and what was before. `was_there`: nothing had to be done."""

    installed: Installed
    catalogue: Catalogue
    before: Catalogue | None
    notice: str  # whose the package is
    was_there: bool


def ours() -> Lock:
    """The lock that comes with relay."""
    package_json, deno_lock = (
        (folder.PROGRAMS / "package" / name).read_bytes() for name in (_PACKAGE_JSON, _LOCK_FILE)
    )
    return Lock(orjson.loads(package_json)["dependencies"][PACKAGE], package_json, deno_lock, is_ours=True)


def lock_for(version: str) -> Lock:
    """A lock made now, for another version or a tag such as `latest`: its hashes are those the registry names today."""
    package = orjson.loads(ours().package_json)
    package["dependencies"][PACKAGE] = version
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        package_json = orjson.dumps(package, option=orjson.OPT_INDENT_2)
        (place / _PACKAGE_JSON).write_bytes(package_json)
        deno.resolve(place, place / "cache")
        deno_lock = (place / _LOCK_FILE).read_bytes()
    found: str = orjson.loads(deno_lock)["specifiers"][f"npm:{PACKAGE}@{version}"].partition("_")[0]
    if found == ours().version:
        return ours()
    return (
        Lock(found, package_json, deno_lock, is_ours=False) if _EXACT.fullmatch(version) else lock_for(found)
    )


def install(root: Path, lock: Lock, progress: Progress) -> Outcome:
    """Install a version and use it from now on. Raises CannotInstall."""
    root = root.absolute()  # its programs run in a folder of their own
    with _disk(), folder.alone(root):
        before = _before(root)
        found = _whole(root, lock)
        if found is None:
            _install(root, lock, progress)
        folder.use(root, lock.version)
        for work in root.glob("work-*"):
            shutil.rmtree(work)
    return _outcome(root, lock.version, before, was_there=found is not None)


def remove(root: Path, version: str | None) -> list[str]:
    """Remove one version, or all and what is left of interrupted installations. Gives the versions."""
    with _disk(), folder.alone(root):
        there = [it.version for it in folder.versions(root)]
        gone = [name for name in there if version in (None, name)]
        if version is not None and not gone:
            raise CannotInstall(f"version {version} is not installed; there is {', '.join(there) or 'none'}")
        if version is None or _is_current(root, version):
            folder.use(root, None)
        leftovers = [path for path in root.iterdir() if path.is_dir()] if version is None else []
        for path in leftovers or [root / name for name in gone]:
            shutil.rmtree(path)
        return gone


def _is_current(root: Path, version: str) -> bool:
    try:
        found = folder.current(root)
    except NotInstalled:
        return True
    return found is not None and found.version == version


def _before(root: Path) -> Catalogue | None:
    try:
        found = folder.current(root)
        return None if found is None else catalogue.read(found.folder)
    except NotInstalled:
        return None


def _whole(root: Path, lock: Lock) -> Installed | None:
    """The version, if it was installed by this lock and nothing of it was changed since."""
    found = folder.at(root, lock.version)
    try:
        if found is None or (found.folder / _LOCK_FILE).read_bytes() != lock.deno_lock:
            return None
        found.verify()
    except (OSError, NotInstalled):
        return None
    return found


def _install(root: Path, lock: Lock, progress: Progress) -> None:
    work = root / f"work-{lock.digest}"
    for other in root.glob("work-*"):
        if other != work:
            shutil.rmtree(other)
    free = shutil.disk_usage(root).free
    if free < NEEDED_BYTES:
        raise CannotInstall(
            f"{root}: {free // 1_000_000} MB are free, installing takes up to {NEEDED_BYTES // 1_000_000}"
        )
    packages = _fetched(work, lock, progress)
    built = _built(work, packages, lock, progress)
    target = root / lock.version
    if target.exists():  # not whole, or by another lock
        target.rename(work / "replaced")
    built.rename(target)


def _fetched(work: Path, lock: Lock, progress: Progress) -> Path:
    packages = work / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    (packages / _PACKAGE_JSON).write_bytes(lock.package_json)
    (packages / _LOCK_FILE).write_bytes(lock.deno_lock)
    n_lines = 0

    def seen(line: str) -> None:
        nonlocal n_lines
        n_lines += _DONE.match(line) is not None
        progress("fetching packages", min(n_lines // 2, lock.packages), lock.packages)

    deno.fetch(packages, work / "cache", seen)
    return packages


def _built(work: Path, packages: Path, lock: Lock, progress: Progress) -> Path:
    built = work / "built"
    shutil.rmtree(built, ignore_errors=True)
    built.mkdir()
    progress("making one file of them", 0, 1)
    made = bundle.make(packages, built / "bundle.js")
    progress("loading every destination", 0, 1)
    catalogue.make(built, packages, made, lock.version)
    (built / NOTICES).write_text(notices.written(notices.collect(packages, made)), "utf-8")
    (built / _PACKAGE_JSON).write_bytes(lock.package_json)
    (built / _LOCK_FILE).write_bytes(lock.deno_lock)
    folder.seal(built, lock.version, lock.packages, is_ours=lock.is_ours)
    return built


def _outcome(root: Path, version: str, before: Catalogue | None, *, was_there: bool) -> Outcome:
    found = folder.at(root, version)
    assert found is not None
    notice = notices.summary((found.folder / NOTICES).read_text("utf-8"))
    return Outcome(found, catalogue.read(found.folder), before, notice, was_there)


@contextmanager
def _disk() -> Iterator[None]:
    """What the disk says no to, in a sentence."""
    try:
        yield
    except OSError as error:
        raise CannotInstall(
            f"{error.filename or 'the disk'}: {error.strerror}; nothing was installed"
        ) from None
