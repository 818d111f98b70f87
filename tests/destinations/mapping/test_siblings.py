"""Paths taken together find what each finds alone."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.mapping import MISSING, compile_mapping
from relay.destinations.mapping.paths import dollar_path
from relay.destinations.mapping.siblings import families, plain_path

NAMES = st.sampled_from(["a", "b", "c", "length", "0"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "$." + ".".join(names))
SCALARS = st.none() | st.booleans() | st.integers(-1, 1) | st.sampled_from(["", "text"])
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
EVENTS = st.dictionaries(NAMES, JSON, max_size=4)


@given(st.dictionaries(st.text(min_size=1, max_size=3).filter(lambda key: key[0] != "@"), PATHS), EVENTS)
def test_an_object_of_paths_has_what_each_path_finds(paths: dict[str, str], event: dict[str, Any]) -> None:
    wanted = {key: dollar_path(path)(event) for key, path in paths.items()}
    made = compile_mapping({key: {"@path": path} for key, path in paths.items()})(event)
    assert made == {key: value for key, value in wanted.items() if value is not MISSING}
    assert list(made) == [key for key, value in wanted.items() if value is not MISSING]


def test_a_family_has_one_parent() -> None:
    node = {
        "os": {"@path": "$.context.os.name"},
        "model": {"@path": "$.context.device.model"},
        "version": {"@path": "context.os.version"},
        "who": {"@path": "$.userId"},
    }
    assert [[key for key, _, _ in members] for _, members in families(node)] == [
        ["os", "version"],
        ["model"],
        ["who"],
    ]


def test_what_is_more_than_names_is_followed_alone() -> None:
    for path in ("$.a[0]", "$.a.length", "", "$.", "$.a.0"):
        assert plain_path({"@path": path}) is None, path
    assert plain_path({"@path": {"@path": "$.a"}}) is None
    assert plain_path({"@path": "$.a", "_metadata": {}}) is None
    assert plain_path("$.a") is None
