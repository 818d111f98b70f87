"""Which type a name in relay.toml means: one of relay's own, or one of Segment's that are installed."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from relay import destinations
from relay.destinations.base import Destination
from relay.destinations.bridge.catalogue import Catalogue, read
from relay.destinations.bridge.errors import NotInstalled
from relay.destinations.bridge.folder import INSTALL, NAME, current
from relay.destinations.bridge.kinds import kind_of
from relay.destinations.device import DEVICE_ONLY

NATIVE, BRIDGE = "native", "bridge"


class UnknownType(Exception):
    """There is no such type. `known`: the names there are, where the nearest may be meant; `more` ends the sentence."""

    def __init__(self, sentence: str, known: Iterable[str] = (), more: str = "") -> None:
        super().__init__(sentence)
        self.known = tuple(known)
        self.more = more


def find(name: str, engine: str | None, data_dir: Path) -> type[Destination]:
    """The type called `name`. `engine`: None takes relay's own where there is one. Raises UnknownType."""
    if engine != BRIDGE and name in destinations.CATALOGUE:
        return destinations.CATALOGUE[name]
    if engine != BRIDGE and name in DEVICE_ONLY:
        return DEVICE_ONLY[name]
    if engine == NATIVE:
        raise UnknownType(f"unknown destination type `{name}`", destinations.CATALOGUE)
    return _bridged(name, data_dir)


def _bridged(name: str, data_dir: Path) -> type[Destination]:
    try:
        known = installed(data_dir)
    except NotInstalled as error:
        raise UnknownType(f"`{name}`: {error}") from None
    if known is None and name in destinations.CATALOGUE:
        raise UnknownType(f"`{name}` by the bridge needs Segment's own destinations: {INSTALL}")
    if known is None:
        more = f" (Segment's own come with {INSTALL})"
        raise UnknownType(f"unknown destination type `{name}`", destinations.CATALOGUE, more)
    found = known.find(name)
    if found is None:
        raise UnknownType(f"unknown destination type `{name}`", [*destinations.CATALOGUE, *known.by_type])
    if found.unsupported is not None:
        raise UnknownType(f"`{name}` cannot run here: {found.unsupported}")
    return kind_of(found)


def installed(data_dir: Path) -> Catalogue | None:
    """Segment's destinations as they are installed; None: they are not. Raises NotInstalled when that is broken."""
    found = current(data_dir / NAME)
    if found is None:
        return None
    return _read(found.folder, found.folder.stat().st_mtime_ns)


@lru_cache(2)
def _read(folder: Path, _: int) -> Catalogue:
    return read(folder)
