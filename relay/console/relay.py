"""What the admin listener, and the console in it, need of a running relay."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from relay.console.debugger import Debugger
from relay.plans.compile import CompiledPlan


class Relay(Protocol):
    """A running relay."""

    alerts: Any
    debugger: Debugger
    history: Any
    plans: Any
    bots: Any
    transformations: Any
    blocked_events: Any
    releasing: Any
    dead_letters: Any
    delivery: Any
    replays: Any
    violations: Any
    sources: Any
    log: Any
    feed: Any
    state: Any
    config: Any
    restart_needed_for: list[str]
    admin_token: str

    def notes(self) -> list[str]: ...

    async def change_plans(self, work: Callable[[Any], Mapping[Path, CompiledPlan]]) -> None: ...

    async def status(self) -> dict[str, Any]: ...

    async def reload(self) -> list[str]: ...
