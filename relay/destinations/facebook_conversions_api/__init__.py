"""Meta's Conversions API: /<pixel>/events of the Graph API, up to 1,000 events a request.

Meta counts one of two events with the same `event_id` and `event_name` within 48 hours, the pixel's or ours. One
event that is wrong, or older than seven days, and nothing of a request is taken: what relay can tell is refused
beforehand and alone, and for the rest delivery sends a refused request again in halves.
"""

from relay.destinations.facebook_conversions_api.destination import FacebookConversionsApi

__all__ = ["FacebookConversionsApi"]
