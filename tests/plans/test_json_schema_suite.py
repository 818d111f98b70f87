"""The JSON Schema Test Suite, draft 7 with its optional parts: as `jsonschema` carries it in its source distribution.

Every case goes the way that a plan's rule goes, and is judged by `is_valid` and by the violations alike. What a plan may
not hold is refused: a reference to anywhere outside the schema, and to an anchor, since `$id` means nothing in a plan.
"""

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay.plans.compile import compile_plan
from relay.plans.shapes import read_plan
from tests.plans.plans import Json, plan

VERSION = "4.26.0"
FOLDER = f"jsonschema-{VERSION}/json/tests/draft7/"
REFUSALS = ("must begin with `#`: nothing outside the schema is fetched", "Anchor 'foo' does not exist")
REFUSED = 31  # groups of cases


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Json]]:
    folder = tmp_path_factory.mktemp("suite")
    command = ("pip", "download", "-q", "--no-deps", "--no-binary=jsonschema", f"jsonschema=={VERSION}")
    subprocess.run([sys.executable, "-m", *command], cwd=folder, check=True, timeout=300)
    return list(_read(folder / f"jsonschema-{VERSION}.tar.gz"))


def _read(archive: Path) -> Iterator[tuple[str, Json]]:
    with tarfile.open(archive) as files:
        for member in files:
            file = files.extractfile(member) if member.name.startswith(FOLDER) else None
            if file is not None:
                yield from ((member.name.removeprefix(FOLDER), group) for group in json.load(file))


def test_every_case_is_judged_as_the_suite_says(groups: list[tuple[str, Json]]) -> None:
    refused, judged, wrong = 0, 0, []
    for file, group in groups:
        schema: Any = group["schema"]
        rule = schema if isinstance(schema, dict) else {"allOf": [schema]}
        read, mistakes = read_plan(plan(("A", rule)))
        compiled, more = compile_plan(read)
        if mistakes + more:
            assert all(told.endswith(REFUSALS) for told in mistakes + more), (file, group["description"])
            refused += 1
            continue
        found = compiled.rule_of({"type": "track", "event": "A"})
        assert found is not None
        for case in group["tests"]:
            data, judged = case["data"], judged + 1
            said = (found.is_valid(data), not found.violations(data, "properties"))
            if said != (case["valid"], case["valid"]):
                wrong.append((file, group["description"], case["description"], said))
    assert wrong == []
    assert refused == REFUSED
    assert judged > 1300
