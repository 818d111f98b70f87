"""The plans of a running relay, for whoever changes them from outside: one change at a time, and how it fails."""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog

from relay.errors import ConfigError
from relay.plans.changes import Changes, Conflict, NoSource, WrongControl
from relay.plans.compile import CompiledPlan
from relay.plans.controls import Controls
from relay.plans.registry import Registry, Setup
from relay.plans.rules import Rule
from relay.plans.store import NoPlan, WrongPlan, plans_folder
from relay.plans.stored import StoredPlan

log = structlog.get_logger()

MAX_MISTAKES = 100  # that an answer tells of

_PLACE = re.compile(r"([A-Za-z_$][^:\s]*): (.+)", re.DOTALL)

T = TypeVar("T")


class PlanError(Exception):
    """Why a request is refused. `mistakes`: each with the field that it is in, if it is in one."""

    def __init__(self, status: int, *mistakes: tuple[str | None, str]) -> None:
        super().__init__("; ".join(said if field is None else f"{field}: {said}" for field, said in mistakes))
        self.status = status
        self.mistakes = mistakes[:MAX_MISTAKES]


class Relay(Protocol):
    """What plans need of a running relay."""

    config: Any

    async def change_plans(self, work: Callable[[Any], Mapping[Path, CompiledPlan]]) -> None: ...


class Plans:
    """The plans of a running relay."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    # --- looking

    async def look(self, work: Callable[[Registry], T]) -> T:
        """What `work` finds, beside the loop: files are read."""
        with _told():
            return await asyncio.to_thread(lambda: work(Registry(setup_of(self._relay.config))))

    async def ids(self, kind: str | None = None) -> list[str]:
        """Of all plans, or of those of one type; those that were made first come first."""
        if kind is None:
            return await self.look(lambda registry: registry.ids)
        return [plan.id for plan in await self.plans(await self.ids()) if plan.type == kind]

    async def plans(self, ids: list[str]) -> list[StoredPlan]:
        """Those that can be read."""
        found, broken = await self.look(lambda registry: registry.plans(ids))
        for sentence in broken:
            log.warning("a tracking plan is not shown", problem=sentence)
        return found

    async def plan(self, plan_id: str) -> StoredPlan:
        return await self.look(lambda registry: registry.plan(plan_id))

    async def sources_of(self, plan_id: str) -> list[str]:
        return await self.look(lambda registry: registry.sources_of(registry.plan(plan_id).id))

    async def plan_id_of(self, source: str) -> str | None:
        return await self.look(lambda registry: registry.plan_id_of(source))

    @property
    def sources(self) -> list[Any]:
        return list(self._relay.config.sources)

    def source(self, name: str) -> Any:
        """The settings of a source in relay.toml."""
        for source in self._relay.config.sources:
            if source.name == name:
                return source
        raise PlanError(404, (None, "there is no such source"))

    # --- changing

    async def create(
        self, name: str, rules: Callable[[], tuple[Rule, ...]], kind: str = "LIVE", description: str = ""
    ) -> StoredPlan:
        return await self._change(lambda changes: changes.create(name, kind, description, rules()))

    async def update(self, plan_id: str, change: Callable[[StoredPlan], StoredPlan]) -> StoredPlan:
        return await self._change(lambda changes: changes.update(plan_id, change))

    async def delete(self, plan_id: str) -> None:
        await self._change(lambda changes: changes.delete(plan_id))

    async def connect(self, plan_id: str, sources: Iterable[str]) -> None:
        await self._change(lambda changes: changes.connect(plan_id, sources))

    async def disconnect(self, plan_id: str, source: str) -> None:
        await self._change(lambda changes: changes.disconnect(plan_id, source))

    async def set_controls(self, source: str, said: Mapping[str, Any]) -> Controls:
        return await self._change(lambda changes: changes.set_controls(source, said))

    async def _change(self, work: Callable[[Changes], T]) -> T:
        """Make a change. When this returns, the next event is judged by it."""
        done: list[T] = []

        def change(config: Any) -> Mapping[Path, CompiledPlan]:
            changes = Changes(setup_of(config))
            done.append(work(changes))
            return changes.fresh

        with _told():
            await self._relay.change_plans(change)
        return done[0]


def setup_of(config: Any) -> Setup:
    data_dir = Path(config.server.data_dir)
    return Setup(
        plans_folder(config.path, data_dir),
        data_dir,
        {source.name: source.controls for source in config.sources},
        config.plans,
        config.plan_files,
        config.in_file,
    )


@contextmanager
def _told() -> Iterator[None]:
    """Let what can be told to the client be told; faults of relay's own pass."""
    try:
        yield
    except WrongPlan as error:
        raise PlanError(400, *map(_placed, error.mistakes)) from None
    except WrongControl as error:
        raise PlanError(400, (error.control, str(error))) from None
    except (NoPlan, NoSource) as error:
        raise PlanError(404, (None, str(error))) from None
    except Conflict as error:
        raise PlanError(409, (None, str(error))) from None
    except ConfigError as error:
        raise PlanError(503, *((None, problem) for problem in error.problems)) from None
    except OSError as error:
        what = f"{error.filename} cannot be used" if error.filename else "nothing can be kept"
        raise PlanError(503, (None, f"{what}: {error.strerror}")) from None


def _placed(mistake: str) -> tuple[str | None, str]:
    """A mistake `rules[3].version: …` as its place and the rest."""
    found = _PLACE.fullmatch(mistake)
    return (found[1], found[2]) if found else (None, mistake)
