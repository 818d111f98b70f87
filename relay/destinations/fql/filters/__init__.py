"""Filters: the FQL of destination filters, with ordinary precedence and strict types.

    type = "track" and !(event in ["Heartbeat", "Ping"]) and length(context.device.id) > 0

lexer.py      text to tokens
nodes.py      what a text is made of
parser.py     tokens to nodes
compile.py    nodes to closures
operators.py  what operators and tests do with values
functions.py  what functions make of values

From weak to strong: `or`, `and`, `!`, a comparison. `all` by itself matches every event.
Null and what is missing are one and never an error: they are false where a truth is asked for, neither less
nor more than a number, in no list unless it holds null; functions of them give null, length() 0.
A value of another type than a test needs makes the test false. It is an error where there is no sensible
answer: a text or a number in the place of a truth, `in` something that is no list, number("x"), a bad pattern
that comes out of an event. Who gets such an error drops the event: fail closed, as Segment does.
"""

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.filters.compile import truth, value
from relay.destinations.fql.filters.parser import parse
from relay.destinations.fql.logic import Read, Test, always

__all__ = ["MAX_BYTES", "compile_filter", "compile_value"]

MAX_BYTES = 5 * 1024  # Segment: 5 KB


def compile_filter(text: str) -> Test:
    """What says whether an event matches `text`; FqlError when it cannot be read, or cannot judge an event."""
    _check_size(text)
    return always if text.strip() == "all" else truth(parse(text))


def compile_value(text: str) -> Read:
    """What gives the value of `text`, a path or a function or any condition, for an event; errors as above."""
    _check_size(text)
    return value(parse(text))


def _check_size(text: str) -> None:
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise FqlError(0, f"a filter has at most {MAX_BYTES} bytes")
