"""`relay destinations install`, `upgrade` and `remove`, as far as they need no registry."""

from pathlib import Path

from tests.cli.command import run

NOBODY = {"NPM_CONFIG_REGISTRY": "http://127.0.0.1:9/"}


async def test_without_a_registry_it_is_one_sentence(tmp_path: Path) -> None:
    done = await run("destinations", "install", folder=tmp_path, environ=NOBODY)
    assert done.code == 1
    assert "the package registry http://127.0.0.1:9 cannot be reached" in done.error
    assert "fetching packages" in done.error
    assert (tmp_path / "data" / "integrations").is_dir()


async def test_another_version_is_looked_for_first(tmp_path: Path) -> None:
    done = await run("destinations", "upgrade", "latest", "--to", "x", folder=tmp_path, environ=NOBODY)
    assert done.code == 1
    assert done.error.startswith("looking for that version")
    assert not (tmp_path / "x").exists()


async def test_nothing_to_remove_is_told(tmp_path: Path) -> None:
    done = await run("destinations", "remove", "--json", folder=tmp_path)
    assert (done.code, done.json) == (0, {"removed": []})


async def test_a_version_that_is_not_there_cannot_be_removed(tmp_path: Path) -> None:
    done = await run("destinations", "remove", "1.2.3", folder=tmp_path)
    assert done.code == 1
    assert "version 1.2.3 is not installed; there is none" in done.error
