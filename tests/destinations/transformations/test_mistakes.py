"""What is wrong with a transformation, and where."""

from typing import Any

import msgspec
import pytest

from relay.destinations.transformations import Transformation, mistakes


def found(**said: Any) -> list[tuple[tuple[str | int, ...], str]]:
    if "condition" in said:
        said["if"] = said.pop("condition")
    return list(mistakes(msgspec.convert(said, Transformation)))


def sets(*paths: str, value: Any = 1) -> dict[str, Any]:
    return {"property_paths": list(paths), "property_value": value}


def test_a_good_one_has_no_mistakes() -> None:
    assert (
        found(
            name="n",
            condition='type = "track"',
            new_event_name="E",
            property_renames=[{"old_name": "properties.a.b.c.d", "new_name": "context.x"}],
            property_value_transformations=[sets("traits.y", value={"a": [1, 1.5, None, True, "x"]})],
            allow_properties=["properties.a"],
            hash_properties={"algorithm": "md5", "encoding": "base64", "key": "k", "paths": ["traits.e"]},
        )
        == []
    )


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("userId", "must begin with `properties.`, `traits.` or `context.`"),
        ("revenue", "must begin with `properties.`, `traits.` or `context.`"),
        ("properties", "must name what is 1 to 4 keys deep under `properties`"),
        ("properties.a.b.c.d.e", "must name what is 1 to 4 keys deep under `properties`"),
        ("properties.products.$.sku", "cannot go into lists: `$` is not supported"),
        (
            "context.consent.categoryPreferences",
            "cannot be in `context.consent`: consent stays as it was given",
        ),
        ("context.consent", "cannot be in `context.consent`: consent stays as it was given"),
        ("", "must be keys with dots between them"),
        ("properties..a", "must be keys with dots between them"),
        ("properties.", "must be keys with dots between them"),
        ("properties.a\\", "must be keys with dots between them"),
    ],
)
def test_a_path_leads_to_what_may_be_changed(path: str, told: str) -> None:
    rename = {"old_name": "traits.x", "new_name": path}
    assert found(property_renames=[rename]) == [(("property_renames", 0, "new_name"), f"`new_name` {told}")]
    assert found(allow_properties=["traits.x", path]) == [
        (("allow_properties", 1), f"`allow_properties` {told}")
    ]
    assert found(hash_properties={"algorithm": "md5", "paths": [path]}) == [
        (("hash_properties", "paths", 0), f"`paths` {told}")
    ]


def test_it_does_something() -> None:
    ((place, told),) = found(name="n")
    assert place == ()
    assert told.startswith("a transformation needs one of `drop`, `new_event_name`, ")


def test_what_is_dropped_is_not_changed() -> None:
    ((place, told),) = found(drop=True, new_event_name="E")
    assert (place, told) == (
        ("drop",),
        "`drop` does not go with `new_event_name`: an event that is dropped is not changed",
    )


def test_a_defined_property_and_a_new_name_are_two_transformations() -> None:
    defined = [{"fql": "event", "property_name": "properties.a"}]
    rename = [{"old_name": "properties.x", "new_name": "properties.y"}]
    told = "does not go with `fql_defined_properties`: make two transformations"
    assert found(fql_defined_properties=defined, new_event_name="E", property_renames=rename) == [
        (("new_event_name",), f"`new_event_name` {told}"),
        (("property_renames",), f"`property_renames` {told}"),
    ]


def test_there_are_no_more_than_segment_takes() -> None:
    paths = [f"properties.a{n}" for n in range(11)]
    assert found(property_value_transformations=[sets(path) for path in paths]) == [
        (("property_value_transformations",), "`property_value_transformations` are 10 at most")
    ]
    place = ("property_value_transformations", 0, "property_paths")
    assert found(property_value_transformations=[sets(*paths)]) == [(place, "`property_paths` are 1 to 10")]
    assert found(property_value_transformations=[sets()]) == [(place, "`property_paths` are 1 to 10")]
    defined = [{"fql": "event", "property_name": path} for path in paths[:2]]
    assert found(fql_defined_properties=defined) == [
        (("fql_defined_properties",), "`fql_defined_properties` is 1 at most")
    ]


def test_no_path_is_renamed_or_set_twice() -> None:
    rename = {"old_name": "properties.a", "new_name": "properties.b"}
    assert [t for _, t in found(property_renames=[rename, rename])] == [
        "`old_name` names a path a second time",
        "`new_name` names a path a second time",
    ]
    again = found(
        property_renames=[rename], property_value_transformations=[sets("properties.b", "properties.a")]
    )
    assert again == [
        (
            ("property_value_transformations", 0, "property_paths", 0),
            "`property_paths` names a path a second time",
        ),
        (
            ("property_value_transformations", 0, "property_paths", 1),
            "`property_paths` names a path that is renamed",
        ),
    ]


def test_fql_that_cannot_be_read_is_told() -> None:
    ((place, told),) = found(condition="event = ", drop=True)
    assert (place, told[:24]) == (("if",), "`if` cannot be read: the")
    ((place, told),) = found(
        fql_defined_properties=[{"fql": "lower(event)", "property_name": "properties.a"}]
    )
    assert place == ("fql_defined_properties", 0, "fql")
    assert told == "`fql` cannot be read: there is no function `lower` (character 1)"


@pytest.mark.parametrize("value", ["1979-05-27T07:32:00Z", "07:32:00", "nan", "inf", "9223372036854775808"])
def test_a_value_is_one_that_json_has(value: str) -> None:
    text = f'it = {{ property_paths = ["traits.a"], property_value = [{{ a = {value} }}] }}'
    one = msgspec.toml.decode(text)["it"]
    ((place, told),) = found(property_value_transformations=[one])
    assert place == ("property_value_transformations", 0, "property_value")
    assert told.startswith("`property_value` must be a text, a number")


def test_an_algorithm_an_encoding_and_a_key_are_checked_without_being_told() -> None:
    said = {"algorithm": "secret", "encoding": "secret", "key": "", "paths": []}
    told = found(hash_properties=said)
    assert [place[-1] for place, _ in told] == ["paths", "algorithm", "encoding", "key"]
    assert "secret" not in str(told)


def test_an_empty_name_is_no_name() -> None:
    assert found(new_event_name=" ") == [(("new_event_name",), "`new_event_name` must not be empty")]
