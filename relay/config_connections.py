"""What the plan APIs set, put to what relay.toml says: plans of sources, and their controls.

relay.toml goes first: of a source whose `plan` (or `controls`) stands there, what an API set is not looked at.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from relay.config_plans import FORWARDING
from relay.errors import ConfigError
from relay.plans.compile import CompiledPlan
from relay.plans.connections import NAME, Connections, checked_controls, read_connections
from relay.plans.controls import Controls
from relay.plans.files import load_plan
from relay.plans.store import plans_folder
from relay.plans.stored import file_of, resource_id

if TYPE_CHECKING:
    from relay.config import Config


def with_connections(config: "Config", fresh: Mapping[Path, CompiledPlan] | None = None) -> "Config":
    """`config` with what the APIs have set by now. ConfigError, and nothing else, when that cannot be read.

    `fresh`: plans that were compiled anew, by file. The others are as they were, when they are there already.
    """
    connections = read_connections(Path(config.server.data_dir))
    names = [source.name for source in config.sources] or [config.default_source]
    files = _files(config, connections, names)
    plans = _compiled(config, files, fresh or {})
    controls = {
        name: checked_controls(connections.of(name).controls)
        for name in names
        if (name, "controls") not in config.in_file
    }
    _check_forwarding(config, controls, names)
    return msgspec.structs.replace(
        config,
        plans=plans,
        plan_files=files,
        default_controls=controls.get(config.default_source, Controls()),
        sources=tuple(
            msgspec.structs.replace(source, controls=controls.get(source.name, source.controls))
            for source in config.sources
        ),
    )


def in_directory(config: "Config", data_dir: str) -> "Config":
    """`config` as it is with the data directory of another: what the APIs have set is there."""
    server = msgspec.structs.replace(config.server, data_dir=data_dir)
    return with_connections(msgspec.structs.replace(config, server=server))


def _files(config: "Config", connections: Connections, names: list[str]) -> dict[str, Path]:
    """The file of the plan of each source that has one."""
    folder = plans_folder(config.path, Path(config.server.data_dir))
    files = {name: config.plan_files[name] for name in names if (name, "plan") in config.in_file}
    for name in names:
        plan = connections.of(name).plan
        if plan is not None and name not in files:
            plan_id = resource_id(plan)
            if plan_id is None:
                raise _wrong(config, f"source `{name}`: `{plan}` is no id of a plan")
            files[name] = file_of(folder, plan_id)
    return files


def _compiled(
    config: "Config", files: Mapping[str, Path], fresh: Mapping[Path, CompiledPlan]
) -> dict[str, CompiledPlan]:
    known = {file: config.plans[name] for name, file in config.plan_files.items() if name in config.plans}
    known |= fresh
    for name, file in files.items():
        if file not in known:
            compiled, mistakes = load_plan(file)
            if mistakes:
                raise _wrong(config, *(f"source `{name}`: {file}: {mistake}" for mistake in mistakes))
            known[file] = compiled
    return {name: known[file] for name, file in files.items()}


def _check_forwarding(config: "Config", controls: Mapping[str, Controls], names: list[str]) -> None:
    """As relay.toml's own are checked."""
    for name, said in controls.items():
        for control in FORWARDING:
            target = getattr(said, control)
            if target is not None and (target not in names or target == name):
                raise _wrong(config, f"source `{name}`: `{control}` must be another source")


def _wrong(config: "Config", *sentences: str) -> ConfigError:
    file = Path(config.server.data_dir) / NAME
    return ConfigError(*(f"{file}: {sentence}" for sentence in sentences))
