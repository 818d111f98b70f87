"""The catalogue: every type of destination, by its name in relay.toml."""

from relay.destinations.base import Destination
from relay.destinations.intercom import Intercom
from relay.destinations.relay import Relay
from relay.destinations.segment import Segment
from relay.destinations.slack import Slack
from relay.destinations.webhook import Webhook

CATALOGUE: dict[str, type[Destination]] = {
    "webhook": Webhook,
    "segment": Segment,
    "relay": Relay,
    "slack": Slack,
    "intercom": Intercom,
}
