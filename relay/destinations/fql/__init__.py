r"""FQL, Segment's two small languages for "is this event meant?", each compiled once to a closure.

subscriptions/   which action an event is for: a flat list, no precedence, seven fields; read as Segment reads it
filters/         destination filters: precedence, parentheses, functions, any field; strict about types
actions.py       what a destination filter does to the events it matches: drop, sample, drop or allow properties

They look alike and are two languages: `a and b or c` means something else in each, `'x'` is text only in
a filter, `\` escapes only in paths. So they share no tokenizer, only `FqlError` and the connectives.
"""

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.filters import compile_filter, compile_value
from relay.destinations.fql.subscriptions import Subscription, compile_subscription

__all__ = ["FqlError", "Subscription", "compile_filter", "compile_subscription", "compile_value"]
