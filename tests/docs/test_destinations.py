"""The pages of docs/destinations/ are what the declarations say, one for each type and none besides."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from relay.destinations import CATALOGUE
from relay.destinations.describe import describe
from relay.destinations.pages import FOLDER, GUIDE, stale, types_table, write
from tests.docs.pages import ROOT, read, section


def test_every_page_is_what_the_declarations_make() -> None:
    assert stale() == [], "run python -m relay.destinations.pages"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    shutil.copy(ROOT / GUIDE, tmp_path / GUIDE)
    write(tmp_path)
    return tmp_path


def test_a_page_that_says_something_else_is_found(root: Path) -> None:
    page = root / FOLDER / "segment.md"
    page.write_text(page.read_text("utf-8").replace("440 kB", "441 kB"), "utf-8")
    assert stale(root) == [f"{FOLDER}/segment.md"]


def test_a_type_without_a_page_is_found(root: Path) -> None:
    (root / FOLDER / "webhook.md").unlink()
    assert stale(root) == [f"{FOLDER}/webhook.md"]


def test_a_page_without_a_type_is_found(root: Path) -> None:
    (root / FOLDER / "gone.md").write_text("# Gone\n")
    assert stale(root) == [f"{FOLDER}/gone.md"]


def test_a_table_that_lacks_a_type_is_found(root: Path) -> None:
    guide = root / GUIDE
    first = types_table().splitlines()[2]
    guide.write_text(guide.read_text("utf-8").replace(f"{first}\n", ""), "utf-8")
    assert stale(root) == [GUIDE]


def test_what_is_found_is_put_right(root: Path) -> None:
    (root / FOLDER / "webhook.md").unlink()
    (root / FOLDER / "gone.md").write_text("# Gone\n")
    (root / FOLDER / "segment.md").write_text("# Segment\n")
    assert write(root) == [f"{FOLDER}/{name}.md" for name in ("gone", "segment", "webhook")]
    assert stale(root) == []
    assert write(root) == []


def test_the_command_says_that_all_is_well() -> None:
    command = [sys.executable, "-m", "relay.destinations.pages", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_page_names_every_action_preset_difference_and_note(kind: str) -> None:
    it = describe(kind, CATALOGUE[kind])
    page = read(f"destinations/{kind}.md")
    flat = " ".join(page.split())
    assert [preset.name for preset in it.presets if f"\n| {preset.name} | " not in page] == []
    assert [sentence for sentence in (*it.differences, *it.notes) if f"- {sentence}" not in flat] == []
    for action in it.actions:
        text = section(page, action.name)
        if "Its fields are those of" not in text:
            assert [row.name for row in action.fields if f"\n| `{row.name}` | " not in text] == []
