"""Actions: what Segment's kind of destination is made of.

fields    an action's fields and their default mappings
schema    a mapped payload made to fit them, or refused
coerce    types
formats   addresses, URLs, dates
dates     moments as JavaScript reads them
action    actions, presets, and the destination that has them
route     subscriptions compiled: from events to payloads to what travels together
requests  writing JSON and form requests
"""

from relay.destinations.actions.action import (
    Action,
    ActionDestination,
    Call,
    Preset,
    Subscription,
    by_name,
    needs_subscriptions,
)

__all__ = ["Action", "ActionDestination", "Call", "Preset", "Subscription", "by_name", "needs_subscriptions"]
