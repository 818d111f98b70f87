"""What an API may do to plans, to what is connected to them, and to controls. Each is checked whole before it is written.

Meant to run beside the loop, one at a time: two changes at once would lose one.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from relay.config_errors import explain
from relay.plans import store
from relay.plans.compile import CompiledPlan
from relay.plans.connections import (
    Connection,
    Connections,
    checked_controls,
    read_connections,
    write_connections,
)
from relay.plans.controls import Controls
from relay.plans.registry import Registry, Setup
from relay.plans.rules import Rule
from relay.plans.stored import StoredPlan, new_id
from relay.times import format_iso

FORWARDING = ("forwarding_violations_to", "forwarding_blocked_events_to")


class Conflict(Exception):
    """It cannot be as things are; the sentence says what stands in the way."""


class NoSource(Exception):
    """There is no such source, or it has not this plan."""


class WrongControl(Exception):
    """A control with a value that it cannot have."""

    def __init__(self, control: str | None, message: str) -> None:
        super().__init__(message)
        self.control = control


class Changes:
    """What may be done to one setup. `fresh` are the plans that were compiled by it, by their files."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._registry = Registry(setup)
        self.fresh: dict[Path, CompiledPlan] = {}

    # --- plans

    def create(self, name: str, kind: str, description: str, rules: tuple[Rule, ...]) -> StoredPlan:
        now = _now()
        plan = StoredPlan(new_id(), name, rules, description, kind, now, now)
        return self._keep(plan)

    def update(self, plan_id: str, change: Callable[[StoredPlan], StoredPlan]) -> StoredPlan:
        plan = self._registry.plan(self._own_id(plan_id))
        return self._keep(msgspec.structs.replace(change(plan), update_time=_now()))

    def delete(self, text: str) -> None:
        plan_id = self._own_id(text)  # which may be broken
        sources = self._registry.sources_of(plan_id)
        for source in sources:
            self._check_connection(source, plan_id)
        connections = self._connections
        for source in sources:
            connections = _connected(connections, source, None)
        write_connections(self._setup.data_dir, connections)
        store.delete(self._setup.folder, plan_id)

    def _keep(self, plan: StoredPlan) -> StoredPlan:
        text, compiled = store.made_ready(plan)
        file = store.write(self._setup.folder, plan.id, text)
        self.fresh[file] = compiled
        return store.read(self._setup.folder, plan.id)

    def _own_id(self, text: str) -> str:
        """The id of a plan that an API may change."""
        plan_id = self._registry.id(text)
        said_in = self._registry.said_in(plan_id)
        if said_in is not None:
            raise Conflict(f"this plan is a file that {said_in} names: edit the file, then reload")
        return plan_id

    # --- who has which plan

    def connect(self, text: str, sources: Iterable[str]) -> None:
        plan = self._registry.plan(text)
        connections = self._connections
        for source in sources:
            self._check_source(source)
            has = self._registry.plan_id_of(source)
            if has == plan.id:
                continue
            if (source, "plan") in self._setup.in_file:
                raise Conflict(self._edit(source, "plan"))
            if has is not None:
                raise Conflict(f"source `{source}` has the plan {has} already: disconnect it first")
            self._own_id(text)
            connections = _connected(connections, source, plan.id)
        write_connections(self._setup.data_dir, connections)

    def disconnect(self, text: str, source: str) -> None:
        plan = self._registry.plan(text)
        self._check_source(source)
        if self._registry.plan_id_of(source) != plan.id:
            raise NoSource(f"source `{source}` does not have this plan")
        self._check_connection(source, plan.id)
        write_connections(self._setup.data_dir, _connected(self._connections, source, None))

    def _check_connection(self, source: str, plan_id: str) -> None:
        """Whether an API may take the plan from a source that has it."""
        if (source, "plan") in self._setup.in_file:
            raise Conflict(self._edit(source, "plan"))
        for key in ("controls", "strict"):
            if (source, key) in self._setup.in_file:
                where = self._setup.in_file[source, key]
                said = f"{where} has `{key}` of source `{source}`, which needs {plan_id}: edit the file"
                raise Conflict(said)

    # --- controls

    def set_controls(self, source: str, said: Mapping[str, Any]) -> Controls:
        """Set some controls of a source; one that is None is again as it always is."""
        self._check_source(source)
        if (source, "controls") in self._setup.in_file:
            raise Conflict(self._edit(source, "controls"))
        connections = self._connections
        before = connections.of(source)
        now = {name: value for name, value in {**before.controls, **said}.items() if value is not None}
        try:
            controls = checked_controls(now)
        except msgspec.ValidationError as error:
            name = str(error).partition(" - at `$.")[2].rstrip("`")
            raise WrongControl(name or None, explain(error)) from None
        for name in FORWARDING:
            target = getattr(controls, name)
            if target is not None and (target not in self._setup.controls or target == source):
                raise WrongControl(name, f"`{name}` must be another source")
        changed = connections.with_(source, Connection(before.plan, now))
        write_connections(self._setup.data_dir, changed)
        return controls

    # --- all

    @property
    def _connections(self) -> Connections:
        return read_connections(self._setup.data_dir)

    def _check_source(self, source: str) -> None:
        if source not in self._setup.controls:
            raise NoSource("there is no such source in relay.toml")

    def _edit(self, source: str, key: str) -> str:
        return f"{self._setup.in_file[source, key]} says the `{key}` of source `{source}`: edit the file"


def _connected(connections: Connections, source: str, plan_id: str | None) -> Connections:
    return connections.with_(source, Connection(plan_id, connections.of(source).controls))


def _now() -> str:
    return format_iso(int(time.time() * 1000))
