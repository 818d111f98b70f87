"""Each of Segment's destinations as a type of relay's: built, described, and what it is by default compiles."""

import msgspec

from relay.config_subscriptions import mistakes_of
from relay.destinations import CATALOGUE
from relay.destinations.actions import Subscription
from relay.destinations.bridge.catalogue import Catalogue
from relay.destinations.bridge.kinds import BridgedDestination, kind_of
from relay.destinations.describe import describe

FEWEST = 200  # destinations of any version


def test_every_one_is_a_type_with_settings_actions_and_a_block(catalogue: Catalogue) -> None:
    assert len(catalogue.destinations) > FEWEST
    for one in catalogue.destinations:
        kind = kind_of(one)
        it = describe(one.type, kind, "bridge")
        names = {field.encode_name for field in msgspec.structs.fields(kind)}
        assert names - {"oauth"} == one.settings.keys() - {"oauth"}, one.type
        assert [action.name for action in it.actions] == [action["name"] for action in one.actions]
        assert f'type = "{one.type}"\nengine = "bridge"\n' in it.block


def test_every_preset_and_default_can_be_used(catalogue: Catalogue) -> None:
    for one in catalogue.destinations:
        kind = kind_of(one)
        assert issubclass(kind, BridgedDestination)
        by_default = [
            Subscription(action["name"], action.get("defaultSubscription") or 'type = "track"')
            for action in one.actions
        ]
        everything = (*kind.preset_subscriptions(), *by_default)
        assert list(mistakes_of(kind, everything)) == [], one.type


def test_a_preset_for_a_script_in_the_browser_is_left_out(catalogue: Catalogue) -> None:
    declared = catalogue.by_type["amplitude"]
    actions = {action["name"] for action in declared.actions}
    assert {preset["partnerAction"] for preset in declared.presets} - actions == {"sessionId"}
    kind = kind_of(declared)
    assert issubclass(kind, BridgedDestination)
    assert {one.action for one in kind.preset_subscriptions()} <= actions


def test_the_same_declaration_is_the_same_type(catalogue: Catalogue) -> None:
    declared = catalogue.by_type["iterable"]
    assert kind_of(declared) is kind_of(declared)


def test_native_types_that_segment_has_too_have_its_name(catalogue: Catalogue) -> None:
    assert CATALOGUE.keys() - catalogue.by_type.keys() == {"relay"}


def test_what_batches_is_told(catalogue: Catalogue) -> None:
    def most(type_: str, action: str) -> int:
        rows = {row.name: row for row in describe(type_, kind_of(catalogue.by_type[type_])).actions}
        return rows[action].max_batch

    assert most("mixpanel", "trackEvent") > 1
    assert most("google-analytics-4", "addToCart") == 1
