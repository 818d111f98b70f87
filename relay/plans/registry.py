"""Which plans there are, and which source has which: those that an API made, and those that relay.toml names.

A plan that was written by hand is shown like any other. To change it, one edits its file.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from relay.plans import store
from relay.plans.compile import CompiledPlan
from relay.plans.controls import Controls
from relay.plans.store import NoPlan
from relay.plans.stored import StoredPlan, file_of, id_of_file, resource_id


class Setup(NamedTuple):
    """What of the configuration plans have to do with. `in_file`: where relay.toml says what of whom."""

    folder: Path
    data_dir: Path
    controls: Mapping[str, Controls]  # by source: all there are
    plans: Mapping[str, CompiledPlan]
    plan_files: Mapping[str, Path]
    in_file: Mapping[tuple[str, str], str]


class Registry:
    """The plans of one setup."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._own = list(store.ids(setup.folder))
        self._by_hand: dict[str, StoredPlan] = {}
        self._of_file = {file_of(setup.folder, plan_id): plan_id for plan_id in self._own}
        for source, file in setup.plan_files.items():
            if file not in self._of_file:
                self._add(source, file)

    def _add(self, source: str, file: Path) -> None:
        """A plan that was written by hand, under an id that no other has."""
        said_in = self.setup.in_file.get((source, "plan"))
        if said_in is None:  # of an API: its file has gone
            return
        plan = self.setup.plans[source].plan
        seen_from_here = os.path.relpath(file, self.setup.folder.parent)
        plan_id = id_of_file(plan.id, seen_from_here)
        if plan_id in self._by_hand or plan_id in self._own:
            plan_id = id_of_file(None, seen_from_here)
        self._of_file[file] = plan_id
        self._by_hand[plan_id] = StoredPlan(plan_id, plan.name or file.stem, plan.rules, said_in=said_in)

    @property
    def ids(self) -> list[str]:
        """Of all plans, those that were made first come first."""
        return sorted({*self._own, *self._by_hand})

    def plan(self, text: str) -> StoredPlan:
        """The plan with this id, of either API. NoPlan when there is none, or its file is broken."""
        plan_id = self.id(text)
        return self._by_hand.get(plan_id) or store.read(self.setup.folder, plan_id)

    def id(self, text: str) -> str:
        """The `rs_…` of a plan that is there, broken or not."""
        plan_id = resource_id(text)
        if plan_id is None or plan_id not in {*self._by_hand, *self._own}:
            raise NoPlan("there is no such tracking plan")
        return plan_id

    def said_in(self, plan_id: str) -> str | None:
        """Where relay.toml names the file of a plan that was written by hand; None of others."""
        return self._by_hand[plan_id].said_in if plan_id in self._by_hand else None

    def plans(self, ids: Iterable[str]) -> tuple[list[StoredPlan], list[str]]:
        """Those that can be read, and why the others cannot."""
        found, broken = [], []
        for plan_id in ids:
            try:
                found.append(self.plan(plan_id))
            except NoPlan as error:
                broken.append(str(error))
        return found, broken

    def plan_id_of(self, source: str) -> str | None:
        """The id of the plan that a source has."""
        file = self.setup.plan_files.get(source)
        return None if file is None else self._of_file.get(file)

    def sources_of(self, plan_id: str) -> list[str]:
        return [source for source in self.setup.controls if self.plan_id_of(source) == plan_id]
