"""Texts of a plan where code stands round them: nothing in them can end a comment or a literal, or be an instruction."""


def lines(*texts: str) -> list[str]:
    """The lines of `texts`, without those that are empty, and without characters that only machines see."""
    return [shown for text in texts for line in text.splitlines() if (shown := _shown(line))]


def quoted(text: str, escape: str, long_escape: str) -> str:
    """A literal in double quotes; the escapes are format strings of what cannot be read."""
    return '"' + "".join(_character(c, escape, long_escape) for c in text) + '"'


def _shown(line: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(line.split()))


def _character(c: str, escape: str, long_escape: str) -> str:
    if c in '"\\':
        return f"\\{c}"
    if c.isprintable():
        return c
    return (escape if ord(c) < 0x10000 else long_escape).format(ord(c))  # noqa: PLR2004
