"""Google Ads conversions: uploads of clicks, calls and adjustments, up to 2000 in a request.

One POST `customers/<id>:upload…` with `partialFailure`, so good conversions land when others do not; the answer is
then 200 all the same, and says which failed. People are told by hashes (SHA-256, hex) of their address and phone
number. An order's id can be used once for each conversion action: it makes a repetition harmless.

fields       what actions take, and where from
people       how a person is written so that Google can find them
conversions  what a payload becomes
flows        from payloads to requests and results
failures     which conversions of an upload failed, and why
destination  settings and actions
"""

from relay.destinations.google_enhanced_conversions.destination import GoogleEnhancedConversions

__all__ = ["GoogleEnhancedConversions"]
