"""The pages of the documentation, cut into what tests look at."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("destinations/*.md"), *ROOT.glob("*.md")])

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_ASSIGNMENT = re.compile(r"\w+=\$\((.*)\)")
_HERE_DOCUMENT = re.compile(r"<<'(\w+)'")


class Block(NamedTuple):
    """A fenced block: the page, the line of its first line, its language and its text."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def read(name: str) -> str:
    """A page of docs/."""
    return (DOCS / name).read_text("utf-8")


def blocks(language: str) -> list[Block]:
    """Every block of a language, on all pages."""
    return [block for page in PAGES for block in _blocks(page) if block.language == language]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for match in _BLOCK.finditer(text):
        yield Block(page, text.count("\n", 0, match.start(2)) + 1, match[1], match[2])


def prose(page: Path) -> str:
    """A page without its blocks."""
    return _BLOCK.sub("", page.read_text("utf-8"))


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of the same or a higher level; "" when there is none."""
    match = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    if match is None:
        return ""
    end = re.search(rf"^#{{1,{len(match[1])}}} ", text[match.end() :], re.MULTILINE)
    return text[match.end() :] if end is None else text[match.end() : match.end() + end.start()]


def links(page: Path) -> list[str]:
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """What a link to a heading of this page may say after `#`."""
    headings = _HEADING.findall(prose(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """What is typed in a console block: each command as it stands, and as words. Here-documents are left out."""
    end = None
    for line in block.text.splitlines():
        if end is not None:
            end = None if line == end else end
        elif line.startswith("$ "):
            typed = line.removeprefix("$ ")
            here = _HERE_DOCUMENT.search(typed)
            end = here and here[1]
            inside = _ASSIGNMENT.fullmatch(typed)
            words = shlex.split(inside[1] if inside else typed)
            yield typed, words[: words.index(">")] if ">" in words else words
