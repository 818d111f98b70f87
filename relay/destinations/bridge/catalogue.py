"""What every destination of an installed version is: its settings, actions, presets, and what it needs besides.

Made at install, by a child that loads all of them with no permission but to read the bundle. A type is named as the
folder it has in the package, as relay's native types are (`amplitude`); Segment's slug (`actions-amplitude`) and
the slug without its `actions-` mean the same.
"""

import base64
import subprocess
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from relay.destinations.bridge.bundle import Bundle
from relay.destinations.bridge.deno import SUBJECT
from relay.destinations.bridge.errors import CannotInstall, NotInstalled
from relay.destinations.bridge.folder import INSTALL, PROGRAMS
from relay.destinations.bridge.scan import Reads, Scan

FILE = "catalogue.json"
SECONDS = 120  # for a child that needs one

_SFTP = "it opens connections of its own, in SFTP"
UNSUPPORTED = {
    "amazon-eventbridge": "only Segment's own AWS account may send as the partner that it is there",
    "kafka": "it opens connections of its own, in Kafka's protocol",
    "sftp": _SFTP,
}
UNSUPPORTED_ACTIONS = {("liveramp-audiences", "audienceEnteredSFTP"): _SFTP}
NEEDED_FEATURES = {  # without them files go through storage of Segment's own
    "liveramp-audiences": ["actions-liveramp-audiences-legacy-flow"],
    "the-trade-desk-crm": ["actions-the-trade-desk-crm-legacy-flow"],
}


class Bridged(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One destination. `settings`, `presets`, `actions` and `audience` are as the package declares them."""

    type: str
    slug: str
    name: str
    mode: str
    scheme: str  # none, custom, basic, oauth2 or oauth-managed
    settings: dict[str, Any]
    has_test: bool = False
    has_refresh: bool = False
    has_delete: bool = False
    presets: list[Any] = []
    actions: list[dict[str, Any]] = []
    audience: dict[str, Any] | None = None
    secrets: list[str] = []  # variables of the environment that it reads
    features: list[str] = []  # flags that it asks for
    needed_features: list[str] = []  # those of them that must be on
    unsupported: str | None = None  # why it cannot run here; an action may have the same key


class Failed(msgspec.Struct, frozen=True):
    """One that could not be loaded."""

    type: str
    message: str


class Catalogue(msgspec.Struct, frozen=True, dict=True):
    """All of a version."""

    version: str
    destinations: list[Bridged]
    failed: list[Failed] = []

    @cached_property
    def by_type(self) -> Mapping[str, Bridged]:
        return {one.type: one for one in self.destinations}

    def find(self, name: str) -> Bridged | None:
        """The destination of this type, or of this slug with or without `actions-`."""
        return self.by_type.get(name) or self._by_slug.get(name) or self._by_slug.get(f"actions-{name}")

    @cached_property
    def _by_slug(self) -> Mapping[str, Bridged]:
        return {one.slug: one for one in self.destinations}


def read(folder: Path) -> Catalogue:
    """The catalogue of an installed version. Raises NotInstalled."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Catalogue)
    except (OSError, msgspec.MsgspecError):
        raise NotInstalled(f"{folder / FILE} cannot be read; {INSTALL} repairs it") from None


def make(folder: Path, packages: Path, bundle: Bundle, version: str) -> Catalogue:
    """Load everything once; write the catalogue and the compiled code beside the bundle in `folder`."""
    told = msgspec.json.decode(_described(folder))
    scan = Scan(packages, bundle)
    for one in told["destinations"]:
        _complete(one, scan.of(one["type"]))
    data = {"version": version, "destinations": told["destinations"], "failed": told["failed"]}
    (folder / FILE).write_bytes(msgspec.json.encode(data))
    (folder / "bundle.cache").write_bytes(base64.b64decode(told["cache"]))
    return msgspec.convert(data, Catalogue)


def _complete(one: dict[str, Any], reads: Reads) -> None:
    """Add what the declarations do not say."""
    type_ = one["type"]
    one |= {"secrets": reads.secrets, "features": reads.features, "unsupported": UNSUPPORTED.get(type_)}
    one["neededFeatures"] = NEEDED_FEATURES.get(type_, [])
    for action in one["actions"]:
        reason = UNSUPPORTED_ACTIONS.get((type_, action["name"]))
        if reason is not None:
            action["unsupported"] = reason


def _described(folder: Path) -> bytes:
    from relay.sandbox.deno import FLAGS, binary  # noqa: PLC0415  as in deno.py

    program = (f"--allow-read={folder}", str(PROGRAMS / "describe.mjs"), str(folder))
    command = [binary(SUBJECT), "run", *FLAGS, *program]
    try:
        done = subprocess.run(command, cwd="/", env={}, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"loading the destinations took longer than {SECONDS} s") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.decode("utf-8", "replace").split()[:60])
        raise CannotInstall(f"the destinations could not be loaded: {said}")
    return done.stdout
