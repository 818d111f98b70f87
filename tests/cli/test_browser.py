"""`relay browser install`, and what `relay check` says before it."""

import subprocess
import sys
from pathlib import Path

import orjson

from relay.browser.analytics_next import VERSION
from tests.acceptance.relay_process import source
from tests.cli.command import run

SECONDS = 250  # for a package of 1 MB, from the registry
NOBODY = {"NPM_CONFIG_REGISTRY": "http://127.0.0.1:9/"}
TABLE = '[browser]\nlibrary = "analytics-next"\n'


def install(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "relay", "browser", "install", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_check_names_the_command_until_it_was_run(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text(TABLE + source("web", "k1"))
    before = await run("check", folder=tmp_path)
    assert before.code == 0
    assert "Segment's analytics.js is not installed; `relay browser install` brings it" in before.out
    said = install(tmp_path)
    assert said.startswith(f"{VERSION} was installed: ")
    assert f"data/analytics-next/{VERSION}/LICENSE.MD" in said
    assert "installed" not in (await run("check", folder=tmp_path)).out
    again = orjson.loads(install(tmp_path, "--json"))
    assert (again["version"], again["wasThere"]) == (VERSION, True)
    assert again["folder"] == f"data/analytics-next/{VERSION}"


async def test_without_a_registry_it_is_one_sentence(tmp_path: Path) -> None:
    done = await run("browser", "install", "--to", "x", folder=tmp_path, environ=NOBODY)
    assert done.code == 1
    assert done.out == ""
    assert "npm's registry cannot be reached" in done.error
    assert list((tmp_path / "x").iterdir()) == []
    assert not (tmp_path / "data").exists()
