"""Consent first, then where the sender wants an event, then filters and transformations."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from relay.console.search import Search
from relay.delivery.config import DestinationConfig
from relay.delivery.routing import Routing
from relay.destinations.fql.actions import Drop, Filter, Sample
from relay.destinations.transformations import Transformation
from relay.event import Event
from relay.outcome import Outcome
from tests.delivery.choosy import Choosy, failing_for
from tests.delivery.pipeline import pipeline, track, tracks, webhook
from tests.receiver import Receiver

NO_CONSENT = "FILTERED_BY_END_USER_CONSENT"
NOTHING: Any = "no consent object at all"


def event(consent: Any = NOTHING, integrations: dict[str, Any] | None = None, **fields: Any) -> Event:
    context = {} if consent is NOTHING else {"consent": consent}
    data = {"type": "track", "event": "Tested", "context": context, **fields}
    return Event(1, 0, "web", "m", orjson.dumps(data), integrations=integrations)


def prefers(**categories: Any) -> dict[str, Any]:
    return {"categoryPreferences": categories}


def routing(*consent: str, **keys: Any) -> Routing:
    return Routing(DestinationConfig(name="hook", type="webhook", consent=consent, **keys), "Webhook")


@pytest.mark.parametrize(
    "consent",
    [
        NOTHING,
        None,
        "",
        prefers(C1=True, C2=True),
        prefers(C1=True, C2=True, C3=False),
        {"categoryPreferences": {"C1": True, "C2": True}, "version": 2},
    ],
    ids=str,
)
def test_an_event_goes_where_all_categories_are_granted_or_nothing_is_said(consent: Any) -> None:
    one = event(consent)
    assert routing("C1", "C2").route(one) is one


@pytest.mark.parametrize(
    "consent",
    [
        {},
        [],
        prefers(),
        prefers(C1=True),
        prefers(C1=True, C2=False),
        prefers(C1=True, c2=True),
        prefers(C1=True, C2="true"),
        prefers(C1=True, C2=1),
        prefers(C1=True, C2=None),
        {"categoryPreferences": None},
        {"categoryPreferences": ["C1", "C2"]},
        {"categoryPreferences": "all"},
        "all",
        True,
        ["C1", "C2"],
    ],
    ids=str,
)
def test_an_event_does_not_go_where_one_is_not_plainly_granted(consent: Any) -> None:
    assert routing("C1", "C2").route(event(consent)) == NO_CONSENT


def test_a_destination_without_categories_gets_everything_and_looks_at_nothing() -> None:
    one = event(prefers(C1=False))
    assert routing().route(one) is one
    assert one.decoded is None


def test_a_change_of_consent_reaches_every_destination() -> None:
    name = "Segment Consent Preference Updated"
    assert isinstance(routing("C1").route(event(prefers(C1=False), event=name)), Event)
    page = event(prefers(C1=False), type="page", event=name)
    assert routing("C1").route(page) == NO_CONSENT


def test_consent_comes_first_and_is_final() -> None:
    both = event(prefers(C1=False), integrations={"hook": True})
    assert routing("C1").route(both) == NO_CONSENT
    assert routing("C1").route(event(prefers(C1=False), integrations={"hook": False})) == NO_CONSENT
    drops = (Filter("all", (Drop(),)),)
    assert routing("C1", filters=drops).route(event(prefers(C1=False))) == NO_CONSENT


def test_consent_does_not_overrule_the_sender() -> None:
    one = event(prefers(C1=True), integrations={"Webhook": False})
    assert routing("C1").route(one) == "FILTERED_BY_INTEGRATIONS_OBJECT"
    assert routing("C1").route(one, again=True) is one


@pytest.mark.parametrize(
    ("integrations", "goes"),
    [
        ({"Amplitude": False}, False),
        ({"All": False, "Amplitude": True}, True),
        ({"All": False, "Amplitude": {"session_id": 1}}, True),
        ({"Amplitude": False, "Actions Amplitude": True}, True),
        ({"Amplitude": True, "numbers": False}, False),
        ({"All": False, "Mixpanel": True}, False),
        ({"Mixpanel": False}, True),
    ],
    ids=str,
)
def test_an_event_may_call_a_tool_by_its_plain_name(integrations: dict[str, Any], goes: bool) -> None:
    routes = Routing(DestinationConfig(name="numbers", type="amplitude"), "Actions Amplitude")
    one = event(integrations=integrations)
    assert routes.route(one) == (one if goes else "FILTERED_BY_INTEGRATIONS_OBJECT")


@pytest.mark.parametrize(("kind", "title"), [("segment", "Segment"), ("relay", "relay")])
@pytest.mark.parametrize(
    ("integrations", "goes"),
    [
        ({"All": False}, True),
        ({"All": False, "Segment.io": True}, True),
        ({"All": False, "Mixpanel": True}, True),
        ({"next": False}, False),
        ({"All": True, "TITLE": False}, False),
    ],
    ids=str,
)
def test_to_what_forwards_an_event_goes_whatever_it_says_of_all(
    integrations: dict[str, Any], goes: bool, kind: str, title: str
) -> None:
    routes = Routing(DestinationConfig(name="next", type=kind), title)
    one = event(integrations={name.replace("TITLE", title): said for name, said in integrations.items()})
    assert routes.route(one) == (one if goes else "FILTERED_BY_INTEGRATIONS_OBJECT")


def test_an_event_that_is_tried_again_is_asked_for_consent_again() -> None:
    assert routing("C1").route(event(prefers(C1=False)), again=True) == NO_CONSENT


def test_filters_see_the_event_before_the_destinations_transformations() -> None:
    drops = (Filter('event = "Renamed"', (Drop(),)),)
    renames = (Transformation(new_event_name="Renamed"),)
    one = event()
    routed = routing(filters=drops, transformations=renames).route(one)
    assert isinstance(routed, Event)
    assert routed.data["event"] == "Renamed"
    assert orjson.loads(routed.json) == routed.data
    assert one.data["event"] == "Tested"


@pytest.mark.parametrize(
    "said", [Transformation(drop=True), Transformation(condition="event", new_event_name="x")]
)
def test_a_transformation_that_drops_or_cannot_judge_is_a_rule(said: Transformation) -> None:
    assert routing(transformations=(said,)).route(event()) == "FILTERED_BY_RULES"


def test_what_a_source_has_dropped_goes_nowhere() -> None:
    one = event()
    one.outcome, one.reason = Outcome.FILTERED, "event_setting"
    assert routing().route(one) == "event_setting"


# device mode

SENT_THERE = "MESSAGE_SENT_CLIENT_SIDE"


def in_browser(kind: str = "amplitude", title: str = "Actions Amplitude", **keys: Any) -> Routing:
    return Routing(DestinationConfig(name="numbers", type=kind, mode="device", **keys), title)


@pytest.mark.parametrize(
    "metadata",
    [
        {"bundledIds": ["other", "numbers"]},
        {"bundled": ["Segment.io", "Actions Amplitude"], "bundledIds": []},
        {"bundledIds": ["numbers"], "failedInitializations": []},
        {"bundledIds": ["numbers"], "failedInitializations": ["Mixpanel (Actions)"]},
        {"bundledIds": ["numbers"], "failedInitializations": "Actions Amplitude"},
    ],
    ids=str,
)
def test_what_the_browser_has_sent_is_not_sent_again(metadata: Any) -> None:
    assert in_browser().route(event(_metadata=metadata)) == SENT_THERE


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "numbers",
        {},
        {"bundledIds": "numbers", "bundled": {"Actions Amplitude": True}},
        {"bundledIds": [["numbers"], 1, None], "bundled": ["Segment.io"]},
        {"unbundled": ["Actions Amplitude"], "bundledIds": ["other"]},
        {"bundledIds": ["numbers"], "failedInitializations": ["Actions Amplitude"]},
        {"bundledIds": ["numbers"], "failedInitializations": ["numbers"]},
    ],
    ids=str,
)
def test_what_the_browser_has_not_sent_goes_by_cloud(metadata: Any) -> None:
    one = event(_metadata=metadata)
    assert in_browser().route(one) is one


def test_an_event_without_metadata_comes_from_a_server_and_goes_by_cloud() -> None:
    one = event()
    assert in_browser().route(one) is one


def test_a_destination_in_cloud_mode_does_not_believe_a_browser() -> None:
    one = event(_metadata={"bundledIds": ["hook"], "bundled": ["Webhook"]})
    assert routing().route(one) is one


def test_what_was_decided_once_is_not_decided_again() -> None:
    one = event(_metadata={"bundledIds": ["numbers"]})
    assert in_browser().route(one, again=True) is one


def test_what_the_browsers_filter_dropped_relays_drops_too_whether_or_not_it_was_sent() -> None:
    filtered = in_browser(filter='event = "Other"')
    for metadata in ({"bundledIds": ["numbers"]}, {}, {"failedInitializations": ["numbers"]}):
        assert filtered.route(event(_metadata=metadata)) == "FILTERED_BY_RULES"
    kept = in_browser(filter='event = "Tested"')
    assert kept.route(event(_metadata={"bundledIds": ["numbers"]})) == SENT_THERE
    one = event(_metadata={})
    assert kept.route(one) is one


def test_what_the_browser_has_drawn_by_lot_relay_does_not_draw_again() -> None:
    sample = in_browser(filters=(Filter("all", (Sample(0.5),)),))
    sent = event(_metadata={"bundledIds": ["numbers"]})
    assert {sample.route(sent) for _ in range(50)} == {SENT_THERE}


def test_a_destination_in_device_mode_looks_at_every_event() -> None:
    assert in_browser().is_open is False


def test_consent_and_the_senders_wish_come_before_what_the_browser_did() -> None:
    done = {"bundledIds": ["numbers"]}
    assert in_browser(consent=("C1",)).route(event(prefers(C1=False), _metadata=done)) == NO_CONSENT
    unwanted = event(integrations={"Amplitude": False}, _metadata=done)
    assert in_browser().route(unwanted) == "FILTERED_BY_INTEGRATIONS_OBJECT"


def test_a_withdrawal_goes_by_cloud_since_the_browser_keeps_it_from_the_tool() -> None:
    done = {"bundledIds": ["numbers"]}
    name = "Segment Consent Preference Updated"
    routes = in_browser(consent=("C1",))
    withdrawn = event(prefers(C1=False), event=name, _metadata=done)
    assert routes.route(withdrawn) is withdrawn
    assert routes.route(event(prefers(C1=True), event=name, _metadata=done)) == SENT_THERE
    ads = in_browser("google-ads", "Google Ads (Gtag)", consent=("C1",))
    assert ads.route(event(prefers(C1=False), event=name, _metadata=done)) == "DEVICE_MODE_ONLY"


def test_a_type_that_only_browsers_can_send_to_is_sent_nothing_else() -> None:
    routes = in_browser("google-ads", "Google Ads (Gtag)")
    assert routes.route(event()) == "DEVICE_MODE_ONLY"
    assert routes.route(event(_metadata={"bundled": ["Google Ads (Gtag)"]})) == SENT_THERE
    assert routes.route(event(integrations={"Google Ads": False})) == "FILTERED_BY_INTEGRATIONS_OBJECT"


def test_of_several_scripts_each_goes_by_its_own_name() -> None:
    routes = in_browser("script", "Script")
    assert routes.route(event(_metadata={"bundled": ["Script"]})) == "DEVICE_MODE_ONLY"
    assert routes.route(event(_metadata={"bundled": ["numbers"]})) == SENT_THERE


# in the pipeline


@pytest.mark.usefixtures("quick")
async def test_an_event_without_consent_has_its_fate_and_reason(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, consent=("C1",)))
        denied = track(messageId="m", context={"consent": prefers(C1=False)})
        await line.send(denied, track(context={"consent": prefers(C1=True)}), track())
        events = (await line.done())["events"]
        assert (events["delivered"], events["filtered"]) == (2, 1)
        assert "m" not in receiver.counts
        (shown,) = line.debugger.newest(Search(message_id="m"), 1)
        assert shown["deliveries"]["hook"] == {"attempts": 0, "state": "filtered", "reason": NO_CONSENT}


@pytest.mark.usefixtures("quick")
async def test_a_dead_letter_does_not_go_out_when_consent_is_asked_for_since(tmp_path: Path) -> None:
    async with Choosy(failing_for("Tested", 410)) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send(*tracks(1, context={"consent": prefers(C1=False)}))
        await line.until(lambda s: s["deadLetters"] == 1)
        await line.apply(webhook(receiver.url, consent=("C1",)))
        receiver.rule = lambda _: None
        assert await line.dead_letters.retry(None, None) == 1
        status = await line.until(lambda s: s["retrying"] == 0)
        assert (status["events"]["filtered"], status["events"]["rejected"]) == (1, 0)
        assert sum(receiver.counts.values()) == 0
