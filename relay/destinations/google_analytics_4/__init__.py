"""Google Analytics 4 by the Measurement Protocol: POST /mp/collect, events of one visitor in each request.

The protocol answers 2xx whatever it is sent, and drops in silence what it cannot take. So everything it documents as
wrong is found here, before it is sent: refused in mappings moved from Segment, as there; with relay's own default
mapping (`within_limits`) parameters are left out or cut, and the event is kept.

A request is about one visitor (`client_id`, or `app_instance_id` of an app), with up to 25 events; each then has a
`timestamp_micros` of its own. There is no key that would make a repetition harmless, but for a purchase's
`transaction_id`.

fields       what actions take, and where from
checks       what refuses an event
limits       what Google Analytics can take, and fitting things into it
events       the actions: GA4's events and what each is made of
requests     from payloads to requests
destination  settings and presets
"""

from relay.destinations.google_analytics_4.destination import GoogleAnalytics4

__all__ = ["GoogleAnalytics4"]
