"""Ports for servers that are told where to listen: nobody else's.

Tests run in several processes. A port that the system hands out may be handed out again, or taken by a connection on
its way out, before the server listens; so each process has a range of its own, below those that the system gives.
"""

import os
import re
import socket
from itertools import count

FIRST = 20_000
EACH = 1_500  # eight processes below 32,768, where Linux begins

_worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "0")) or 0) % 8
_next = count()


def free_port() -> int:
    """A port nothing listens at, and that no other test is given."""
    while True:
        port = FIRST + _worker * EACH + next(_next) % EACH
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def free_ports(n: int) -> list[int]:
    return [free_port() for _ in range(n)]
