"""What a destination reads that is not among its settings, found in the text of its files.

Secrets are variables of the environment: Segment registered an app with the vendor, and so must the operator.
Features are flags by which Segment tries out another behaviour.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from relay.destinations.bridge.bundle import PACKAGE, Bundle

AWS_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)  # what the AWS clients look for by themselves

_OWN = f"node_modules/{PACKAGE}/"
_NO_SECRETS = {"NODE_ENV", "AWS_REGION"}  # they have defaults
_SECRET = re.compile(r"process\.env(?:\.|\[['\"])(\w+)")
_FEATURE = re.compile(r"\bfeatures(?:\?\.)?\[\s*(?:['\"]([\w-]+)['\"]|(?:[\w.]*\.)?(\w+))\s*\]")


class Reads(msgspec.Struct, frozen=True):
    """What one destination reads."""

    secrets: list[str]
    features: list[str]


class Scan:
    """The files of a bundle, each read once."""

    def __init__(self, packages: Path, bundle: Bundle) -> None:
        self._packages = packages
        self._inputs = bundle.inputs
        self._texts: dict[str, str] = {}

    def of(self, type_: str) -> Reads:
        """What the destination in this folder reads."""
        files = self._reached(f"{_OWN}dist/destinations/{type_}/index.js")
        texts = {file: self._text(file) for file in files if file.startswith(_OWN)}
        secrets = {name for text in texts.values() for name in _SECRET.findall(text)} - _NO_SECRETS
        if any("/client-sts/" in file for file in files):
            secrets.update(AWS_CREDENTIALS)
        return Reads(sorted(secrets), sorted(set(_features(texts))))

    def _reached(self, start: str) -> set[str]:
        """A file, the package's own files that it needs, and what these need of others."""
        found, left = {start}, [start]
        while left:
            file = left.pop()
            imports: list[dict[str, Any]] = self._inputs[file]["imports"] if file.startswith(_OWN) else []
            new = {one["path"] for one in imports if one["path"] in self._inputs} - found
            found |= new
            left += new
        return found

    def _text(self, file: str) -> str:
        if file not in self._texts:
            self._texts[file] = (self._packages / file).read_text("utf-8")
        return self._texts[file]


def _features(texts: Mapping[str, str]) -> Iterator[str]:
    """The flags that files ask for: by text, or by a constant of the same destination."""
    for text in texts.values():
        for literal, constant in _FEATURE.findall(text):
            if literal:
                yield literal
                continue
            value = re.compile(rf"\b{constant} = ['\"]([\w.-]+)['\"]")
            yield from (
                value.findall(text) or [v for other in texts.values() for v in value.findall(other)][:1]
            )
