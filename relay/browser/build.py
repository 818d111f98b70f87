"""Builds analytics.js: `python -m relay.browser.build`, where relay stands with its sources."""

import sys
from pathlib import Path

from relay.npm import report

SOURCES = Path(__file__).parent / "script"
BUILT = Path(__file__).parent / "static"


if __name__ == "__main__":
    sys.exit(report("analytics.js", SOURCES, BUILT))
