"""What a transformation says.

The names are those of Segment's Public API in snake case, so that one becomes the other field by field;
`hash_properties` is `hashPropertiesConfiguration` there.

    [[sources.transformations]]
    name = "One name for an order"
    if = 'event = "order_completed"'
    new_event_name = "Order Completed"
    property_renames = [{ old_name = "properties.total", new_name = "properties.revenue" }]

Shapes are checked when it is read; what the values must be, `checks` says.
"""

from typing import Any

import msgspec


class _Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class PropertyRename(_Object, frozen=True):
    """Moves what is at one path to another."""

    old_name: str
    new_name: str


class PropertyValueTransformation(_Object, frozen=True):
    """Sets every path to the same value."""

    property_paths: tuple[str, ...]
    property_value: Any


class FqlDefinedProperty(_Object, frozen=True):
    """Sets a path to what an FQL expression gives."""

    fql: str
    property_name: str


class HashProperties(_Object, frozen=True):
    """Replaces what is at the paths by its digest; with a `key`, by its HMAC."""

    algorithm: str
    paths: tuple[str, ...]
    key: str | None = None
    encoding: str = "hex"


class Transformation(_Object, frozen=True, rename={"condition": "if"}):
    """One of `transformations`. What `condition` does not match stays as it is."""

    name: str = ""
    enabled: bool = True
    condition: str = "all"
    drop: bool = False
    new_event_name: str | None = None
    property_renames: tuple[PropertyRename, ...] = ()
    property_value_transformations: tuple[PropertyValueTransformation, ...] = ()
    fql_defined_properties: tuple[FqlDefinedProperty, ...] = ()
    allow_properties: tuple[str, ...] = ()
    hash_properties: HashProperties | None = None
