"""Customer.io's Track API: people, their devices and events, objects and who belongs to them.

account  settings, and requests signed with them
entries  what is sent: identifiers, attributes, dates
sending  one entry, or up to 100 in a request
people, events, objects   the actions

Events are deduplicated by their `id`, which is the messageId. Everything else may be repeated without harm.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from relay.destinations.actions import Action, Preset, by_name
from relay.destinations.actions.requests import bare_request
from relay.destinations.base import Steps
from relay.destinations.customerio import events, objects, people
from relay.destinations.customerio.account import US, Account
from relay.destinations.customerio.sending import DEFAULT_BATCH, MAX_BATCH

_ON = {  # events with a meaning of their own, and whose they are
    "createUpdateDevice": ("Application Installed", "Application Opened", "Device Created or Updated"),
    "deleteDevice": ("Application Uninstalled", "Device Deleted"),
    "deleteRelationship": ("Relationship Deleted",),
    "deletePerson": ("User Deleted",),
    "deleteObject": ("Object Deleted",),
    "suppressPerson": ("User Suppressed",),
    "unsuppressPerson": ("User Unsuppressed",),
    "reportDeliveryEvent": ("Report Delivery Event",),
    "reportContentEvent": ("Report Content Event",),
}
_TYPES = {
    "createUpdatePerson": "identify",
    "trackPageView": "page",
    "trackScreenView": "screen",
    "createUpdateObject": "group",
    "mergePeople": "alias",
}
ACTIONS = by_name(*people.ACTIONS, *events.ACTIONS, *objects.ACTIONS)


def _presets() -> list[Preset]:
    asked = {action: f'type = "{kind}"' for action, kind in _TYPES.items()}
    asked |= {action: " or ".join(f'event = "{name}"' for name in names) for action, names in _ON.items()}
    others = [f'event != "{name}"' for names in _ON.values() for name in names]
    asked["trackEvent"] = " and ".join(['type = "track"', *others])
    return [Preset(ACTIONS[action].title, action, subscribe) for action, subscribe in asked.items()]


class Customerio(Account, frozen=True):
    """Settings of `type = "customerio"`."""

    title: ClassVar[str] = "Actions Customerio"
    also_called: ClassVar[tuple[str, ...]] = ("Customer.io",)
    summary: ClassVar[str] = (
        "Customer.io's Track API: people, devices, events and objects, up to 100 a request."
    )
    default_endpoint: ClassVar[str | None] = US
    batch: ClassVar[int] = DEFAULT_BATCH
    max_batch: ClassVar[int] = MAX_BATCH
    max_bytes: ClassVar[int] = 440_000  # Customer.io: 500 KB a batch; one more entry of 32 KB must still fit
    actions: ClassVar[Mapping[str, Action]] = ACTIONS
    presets: ClassVar[Sequence[Preset]] = _presets()
    differences: ClassVar[Sequence[str]] = (
        "Of a batch only the entries that Customer.io names as wrong are refused; Segment calls all of them delivered.",
        "A group's traits are the object's attributes when there are no `traits.objectAttributes`; Segment drops them.",
    )
    notes: ClassVar[Sequence[str]] = (
        "Customer.io asks for no more than 100 requests a second; set `rate_limit` where others send too.",
        "A request holds 500 KB, an entry 32 KB.",
    )

    def check(self) -> Steps:
        """Ask whether the site id and the key belong together."""
        yield bare_request("GET", f"{self.place}/auth", self.credentials)
