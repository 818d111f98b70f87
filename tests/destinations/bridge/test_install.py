"""Installing: broken off, tampered with, without a registry, twice at once; and removing."""

import shutil
from pathlib import Path

import orjson
import pytest

from relay.destinations.bridge import folder, install
from relay.destinations.bridge.bundle import PACKAGE
from relay.destinations.bridge.deno import sentence
from relay.destinations.bridge.errors import CannotInstall, NotInstalled
from relay.destinations.bridge.folder import PROGRAMS
from relay.destinations.bridge.install import Lock
from tests.destinations.bridge.conftest import FEW, Installation
from tests.destinations.bridge.registry import registry

VERSION = "3.497.0"


@pytest.fixture
def copy(installation: Installation, tmp_path: Path) -> Path:
    """The installation, to be spoilt."""
    root = tmp_path / folder.NAME
    shutil.copytree(installation.root, root)
    return root


def silent(*_: object) -> None:
    """Progress that nobody looks at."""


def test_what_was_broken_off_is_not_used(installation: Installation) -> None:
    broken = installation.broken
    assert broken.in_use is None
    assert {name.partition("-")[0] for name in broken.names} == {"lock", "work"}
    assert broken.fetched >= FEW


def test_it_goes_on_and_leaves_nothing_behind(installation: Installation) -> None:
    assert {path.name for path in installation.root.iterdir()} == {"current", "lock", VERSION}
    assert installation.installed.version == VERSION
    installation.installed.verify()


def test_the_licence_is_shown_and_kept(installation: Installation) -> None:
    assert "MIT, Copyright (c)" in installation.said
    kept = (installation.installed.folder / install.NOTICES).read_text()
    assert kept.startswith(f"{PACKAGE} {VERSION}\nLicence: MIT")
    assert "Permission is hereby granted" in kept
    assert all(name in kept for name in ("\nkafkajs ", "\nlodash ", "\n@smithy/core "))


def test_what_is_installed_is_not_installed_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")  # nobody is asked
    outcome = install.install(installation.root, install.ours(), silent)
    assert outcome.was_there
    assert len(outcome.catalogue.destinations) == 214


@pytest.mark.parametrize("name", ["bundle.js", "catalogue.json"])
def test_a_changed_file_is_noticed(copy: Path, name: str) -> None:
    found = folder.at(copy, VERSION)
    assert found is not None
    with (found.folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(NotInstalled, match=f"{name} was changed since it was installed"):
        found.verify()


def test_a_missing_file_is_noticed(copy: Path) -> None:
    (copy / VERSION / "bundle.js").unlink()
    found = folder.current(copy)
    assert found is not None
    with pytest.raises(NotInstalled, match="No such file"):
        found.verify()


def test_a_folder_that_was_not_sealed_is_not_used(copy: Path) -> None:
    (copy / VERSION / "manifest.json").unlink()
    with pytest.raises(NotInstalled, match="is not whole"):
        folder.current(copy)


def test_a_package_with_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with registry(200, b"something else") as address:
        monkeypatch.setenv("npm_config_registry", address)
        with pytest.raises(CannotInstall, match="does not have the hash that the lock names"):
            install.install(tmp_path, install.ours(), silent)
    assert folder.current(tmp_path) is None
    assert folder.versions(tmp_path) == []


def test_a_lock_that_was_changed_refuses_the_true_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = install.ours()
    lock = orjson.loads(ours.deno_lock)
    one = f"ts-custom-error@{_version(lock, 'ts-custom-error')}"
    wanted = {key: lock["npm"][key] for key in (one,)}
    wanted[one]["integrity"] = next(it["integrity"] for key, it in lock["npm"].items() if key != one)
    name, _, version = one.rpartition("@")
    package = orjson.dumps({"name": "x", "private": True, "dependencies": {name: version}})
    lock |= {
        "npm": wanted,
        "specifiers": {f"npm:{one}": version},
        "workspace": {"packageJson": {"dependencies": [f"npm:{one}"]}},
    }
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    with pytest.raises(CannotInstall, match=r"ts-custom-error@.* does not have the hash"):
        install.install(tmp_path, Lock(version, package, orjson.dumps(lock), is_ours=False), silent)


def test_a_registry_that_cannot_be_reached_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with registry(200, b"") as address:
        pass
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
    with pytest.raises(
        CannotInstall, match=rf"the package registry {address[:-1]} cannot be reached.*NPM_CONFIG"
    ):
        install.install(tmp_path, install.ours(), silent)


def test_a_registry_without_the_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with registry(404, b"") as address:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
        with pytest.raises(CannotInstall, match="the registry does not have"):
            install.install(tmp_path, install.ours(), silent)
        with pytest.raises(CannotInstall, match="registry does not have"):
            install.lock_for("0.0.1")


def test_the_work_of_another_lock_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work-another").mkdir()
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    with pytest.raises(CannotInstall):
        install.install(tmp_path, install.ours(), silent)
    assert [path.name for path in tmp_path.glob("work-*")] == [f"work-{install.ours().digest}"]


def test_two_at_once_are_one_too_many(tmp_path: Path) -> None:
    with folder.alone(tmp_path), pytest.raises(CannotInstall, match="another installation is under way"):
        install.install(tmp_path, install.ours(), silent)


def test_a_disk_without_room_is_told_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 1 << 60)
    with pytest.raises(CannotInstall, match=r"\d+ MB are free, installing takes up to"):
        install.install(tmp_path, install.ours(), silent)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotInstall, match="file"):
        install.install(tmp_path / "file" / "x", install.ours(), silent)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("error: write failed: No space left on device (os error 28)", "the disk is full"),
        ("error: Bad response: 503", "answers 503"),
        ("error: something new\nbelow", "Deno could not fetch the packages: error: something new below"),
    ],
)
def test_what_deno_says_becomes_a_sentence(said: str, told: str) -> None:
    assert told in sentence(said)


def test_removing_a_version_takes_it_out_of_use(copy: Path) -> None:
    assert install.remove(copy, VERSION) == [VERSION]
    assert folder.current(copy) is None
    with pytest.raises(CannotInstall, match=r"version 1\.0\.0 is not installed"):
        install.remove(copy, "1.0.0")


def test_removing_all_takes_what_was_left_too(copy: Path) -> None:
    (copy / "work-another").mkdir()
    assert install.remove(copy, None) == [VERSION]
    assert {path.name for path in copy.iterdir()} == {"lock"}


def test_the_lock_has_a_hash_for_every_package_and_no_address() -> None:
    text = (PROGRAMS / "package" / "deno.lock").read_text()
    packages = orjson.loads(text)["npm"]
    assert len(packages) > 100
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert "://" not in text


def test_the_tag_of_our_version_is_our_lock(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    assert install.lock_for(VERSION).is_ours


def _version(lock: dict[str, dict[str, object]], name: str) -> str:
    return next(key.rpartition("@")[2] for key in lock["npm"] if key.startswith(f"{name}@"))
