"""Ports for servers that are told where to listen: nobody else's.

Tests run in several processes, perhaps in several runs at a time. A port that the system hands out may be handed out
again, or taken by a connection on its way out, before the server listens, and while it is away; so each process has a
range of its own, below those that the system gives.
"""

import socket
from itertools import count

FIRST, EACH, END = 20_000, 300, 32_768  # where Linux begins


def _range() -> int:
    """The first port of a range that is ours for as long as this process lives: nobody else can bind it."""
    for first in range(FIRST, END - EACH, EACH):
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", first))
        except OSError:
            claim.close()
            continue
        claim.detach()  # never closed
        return first
    raise AssertionError("every range of ports is taken")


_first = _range()
_next = count()


def free_port() -> int:
    """A port nothing listens at, and that no other test is given."""
    while True:
        port = _first + 1 + next(_next) % (EACH - 1)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def free_ports(n: int) -> list[int]:
    return [free_port() for _ in range(n)]
