"""The tour of the console: its pictures are those that the tests make."""

import re
from pathlib import Path

from tests.console.browser.test_pages import PAGES

DOCS = Path(__file__).parents[2] / "docs"


def test_every_picture_is_there_and_of_a_page_that_is_tested() -> None:
    shown = re.findall(
        r"!\[[^\]]+\]\(images/console/([\w-]+)-light\.png\)", (DOCS / "console.md").read_text()
    )
    assert len(shown) > 5
    assert set(shown) <= {name for name, _, _ in PAGES}
    kept = {file.name for file in (DOCS / "images/console").iterdir()}
    assert kept == {f"{name}-light.png" for name in shown}
