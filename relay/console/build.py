"""Builds what the console's pages load: `python -m relay.console.build`, where relay stands with its sources."""

import sys
from pathlib import Path

from relay.npm import report

SOURCES = Path(__file__).parent / "assets"
BUILT = Path(__file__).parent / "static"


if __name__ == "__main__":
    sys.exit(report("the console", SOURCES, BUILT))
