"""TikTok's Events API: /event/track/, up to 1,000 events a request.

TikTok counts one of two events with the same `event_id` and `event` within 48 hours, the pixel's or ours. It answers
200 whatever happens: `code` in the body says how it went, and 0 is the good one.
"""

from relay.destinations.tiktok_conversions.destination import TiktokConversions

__all__ = ["TiktokConversions"]
