"""The plain paths of an object taken together: what they share is followed once.

Most mappings ask for dozens of paths like `$.context.device.model`, most of which an event does not have. So the keys
of an object are put into families by the path of their parent: where the parent is missing all of them are, and
where it is an object each is one look into it. For any other parent the paths are followed one by one.
"""

from collections.abc import Mapping
from typing import Any

from relay.destinations.mapping.javascript import MISSING
from relay.destinations.mapping.paths import dollar_path, getter, plain_names
from relay.destinations.mapping.place import Run

Member = tuple[str, str, Run]  # the key, the name in the parent, and the whole path's getter
Family = tuple[Run, tuple[Member, ...]]  # the parent's getter, and who looks into it


def families(node: Mapping[str, Any]) -> list[Family]:
    """The families of the keys of `node` that are plain paths."""
    found: dict[str, list[Member]] = {}
    for key, child in node.items():
        path = plain_path(child)
        if path is not None:
            *parents, last = plain_names(path)
            found.setdefault(".".join(parents), []).append((key, last, dollar_path(path)))
    return [(getter(parent), tuple(members)) for parent, members in found.items()]


def plain_path(node: Any) -> str | None:
    """The path that `node` is, when it is made of names only."""
    if not isinstance(node, dict) or len(node) != 1:
        return None
    path = node.get("@path")
    return path if isinstance(path, str) and plain_names(path) else None


def gather(payload: Any, some: list[Family], made: dict[str, Any]) -> None:
    """Put into `made` what the families find in `payload`, and take out what they do not."""
    for parent, members in some:
        found = parent(payload)
        if type(found) is dict:
            for key, name, _ in members:
                if name in found:
                    made[key] = found[name]
                else:
                    del made[key]
            continue
        for key, _, run in members:
            value = MISSING if found is MISSING else run(payload)
            if value is MISSING:
                del made[key]
            else:
                made[key] = value
