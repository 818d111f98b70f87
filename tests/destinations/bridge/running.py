"""Children for tests, and destinations as relay.toml would have them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from relay.destinations.bridge.catalogue import Catalogue
from relay.destinations.bridge.kinds import BridgedDestination, kind_of
from relay.destinations.bridge.runtime import Runtime
from relay.sandbox.sandbox import Sandbox
from tests.delivery.pipeline import Pipeline, Target, pipeline, target


@asynccontextmanager
async def runtime(folder: Path, cap: int = 1) -> AsyncIterator[Runtime]:
    """One child, unless `cap` says more."""
    async with Sandbox() as sandbox:
        made = Runtime(sandbox, folder, cap)
        try:
            yield made
        finally:
            await made.close()


@asynccontextmanager
async def bridged(folder: Path, tmp_path: Path, cap: int = 1) -> AsyncIterator[Pipeline]:
    """A pipeline whose bridged destinations run."""
    async with runtime(folder, cap) as made, pipeline(tmp_path) as line:
        line.delivery.bridge = made
        yield line


def settings_of(catalogue: Catalogue, kind: str, settings: dict[str, Any]) -> BridgedDestination:
    made = msgspec.convert(settings, kind_of(catalogue.by_type[kind]))
    assert isinstance(made, BridgedDestination)
    return made


def aimed(catalogue: Catalogue, kind: str, url: str, settings: dict[str, Any], **fields: Any) -> Target:
    """A destination whose requests go to `url`; its name is its type."""
    fields = {"name": kind, "endpoint": url} | fields
    return target(kind=kind, settings=settings_of(catalogue, kind, settings), engine="bridge", **fields)
