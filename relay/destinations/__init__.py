"""The catalogue: every type of destination, by its name in relay.toml."""

from relay.destinations.amplitude import Amplitude
from relay.destinations.base import Destination
from relay.destinations.braze import Braze
from relay.destinations.customerio import Customerio
from relay.destinations.facebook_conversions_api import FacebookConversionsApi
from relay.destinations.google_analytics_4 import GoogleAnalytics4
from relay.destinations.google_enhanced_conversions import GoogleEnhancedConversions
from relay.destinations.hubspot import Hubspot
from relay.destinations.intercom import Intercom
from relay.destinations.klaviyo import Klaviyo
from relay.destinations.mixpanel import Mixpanel
from relay.destinations.relay import Relay
from relay.destinations.salesforce import Salesforce
from relay.destinations.segment import Segment
from relay.destinations.slack import Slack
from relay.destinations.tiktok_conversions import TiktokConversions
from relay.destinations.webhook import Webhook

CATALOGUE: dict[str, type[Destination]] = {
    "webhook": Webhook,
    "segment": Segment,
    "google-analytics-4": GoogleAnalytics4,
    "google-enhanced-conversions": GoogleEnhancedConversions,
    "amplitude": Amplitude,
    "mixpanel": Mixpanel,
    "relay": Relay,
    "slack": Slack,
    "intercom": Intercom,
    "customerio": Customerio,
    "hubspot": Hubspot,
    "braze": Braze,
    "klaviyo": Klaviyo,
    "facebook-conversions-api": FacebookConversionsApi,
    "tiktok-conversions": TiktokConversions,
    "salesforce": Salesforce,
}
