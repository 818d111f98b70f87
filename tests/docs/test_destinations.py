"""The pages of docs/destinations/ are what the declarations say, one for each type and none besides."""

import shutil
from pathlib import Path

import pytest

from relay.destinations import CATALOGUE
from relay.destinations.describe import describe
from relay.destinations.pages import FOLDER, GUIDE, pages, stale, types_table
from tests.docs.pages import ROOT, read, section


def test_every_page_is_what_the_declarations_make() -> None:
    assert stale() == [], "run python -m relay.destinations.pages"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    shutil.copy(ROOT / GUIDE, tmp_path / GUIDE)
    for path, text in pages(tmp_path).items():
        (tmp_path / path).write_text(text, "utf-8")
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
