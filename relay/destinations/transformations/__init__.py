"""Transformations: events changed by rule on their way, for one destination or for all of a source's.

objects.py   what one says, as relay.toml and Segment's Public API have it
checks.py    what is wrong with one, and where
compile.py   one closure for all transformations of a source or of a destination
places.py    values at paths of an object: found, put, replaced, taken away; always in a copy
hashing.py   values to digests

Paths lie under `properties`, `traits` or `context`, never at the top: who an event is about, and when, is not
theirs to change [Segment]. Neither is `context.consent`: what a person agreed to stays what the person said.
"""

from relay.destinations.transformations.checks import mistakes
from relay.destinations.transformations.compile import Step, compile_transformations
from relay.destinations.transformations.objects import Transformation

__all__ = ["Step", "Transformation", "compile_transformations", "mistakes"]
