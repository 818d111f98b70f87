"""Every event has exactly one fate for each destination.

*Delivered* is what a cursor says; only the exceptions are written down, each with a reason.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """The six fates. A dead letter is `rejected` until it is redriven and `delivered`."""

    DELIVERED = "delivered"
    FILTERED = "filtered"  # not for this destination, by a rule of the operator
    DUPLICATE = "duplicate"  # its messageId was seen before
    BLOCKED = "blocked"  # by a tracking plan
    REJECTED = "rejected"  # it can never be accepted: by us at admission, or by the destination
    EXPIRED = "expired"  # tried for as long as the operator wanted, in vain
