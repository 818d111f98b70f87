"""The `[sources.segment]` table of relay.toml: browsers of this source go on with Segment's script and settings, through relay."""

import re

import msgspec

SEGMENTS_CDN = "https://cdn.segment.com"


class SegmentConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sources.segment]`: what Segment calls this source, and where its files are."""

    write_key: str | None = None  # Segment's own; None: the first key of the source
    cdn: str = SEGMENTS_CDN


def key_problem(text: str) -> str | None:
    """The rest of a sentence when `text` cannot be a write key of Segment's: it stands in addresses."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", text):
        return None
    return "must be a write key of Segment's: letters and digits"
