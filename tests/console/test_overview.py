"""The overview: how to begin, what came in, and where it went."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from relay.console.pages.overview import _merged, error_words
from relay.history.funnel import DestinationFunnel, Reason, Stage
from tests.acceptance.relay_process import eventually, webhook
from tests.console.visitor import visitor_of
from tests.gateway.relay_here import KEY, READ_TOKEN, SOURCE, RelayHere, event, relay_here
from tests.receiver import Receiver

PICKY = "filter = 'event = \"Wanted\"'"


@pytest.fixture
async def relay(receiver: Receiver, tmp_path: Path) -> AsyncIterator[RelayHere]:
    tables = SOURCE + webhook(receiver.url) + webhook(receiver.url, "picky", PICKY)
    async with relay_here(tmp_path, tables) as here:
        yield here


async def settled(relay: RelayHere, delivered: int) -> None:
    """Once so many were delivered to each."""

    async def look() -> bool:
        found = await relay.app.history.funnel("1h")
        return all(
            one.delivered + one.filtered_at_destination.events == delivered for one in found.destinations
        )

    await eventually(look, 30, lambda: "not delivered")


async def test_a_fresh_install_says_how_to_send_the_first_event_and_greets_it(relay: RelayHere) -> None:
    async with visitor_of(relay) as visitor:
        shown = await visitor.get("/console/")
        assert shown.status == 200
        assert f"curl http://127.0.0.1:{relay.port}/v1/track -u '{KEY}:'" in shown.words
        assert "analytics.load" in shown.words
        assert "Waiting for the first event" in shown.words
        assert (await visitor.get("/console/overview/first")).status == 204
        await relay.post("/v1/track", event(event="<b>First</b>"))
        await eventually(lambda: relay.app.feed.cursor == 1, 30, lambda: "not admitted")
        greeting = await visitor.get("/console/overview/first")
        assert "It is here: <b>First</b>" in greeting.words
        assert "<b>First" not in greeting.text
        assert '/console/events/1/0"' in greeting.text
        assert "Throughput" in (await visitor.get("/console/")).words


async def test_who_may_only_look_is_not_shown_the_write_key(relay: RelayHere) -> None:
    async with visitor_of(relay, READ_TOKEN) as visitor:
        shown = await visitor.get("/console/")
        assert shown.status == 200
        assert KEY not in shown.text
        assert "Its write key is not shown" in shown.words


async def test_stages_have_their_numbers_reasons_and_samples(relay: RelayHere, receiver: Receiver) -> None:
    again = event(event="Wanted")
    for one in (again, again, event()):
        await relay.post("/v1/track", one)
    await relay.post("/v1/track", {"userId": "u"})
    await settled(relay, 2)
    async with visitor_of(relay) as visitor:
        words = (await visitor.get("/console/")).words
        text = (await visitor.get("/console/?range=24h")).text
    assert "Received kept in the log 3" in words
    assert "an event with this messageId was there before" in words
    assert "1 event refused at the door" in words
    assert "1 missing_event a track call needs the name of an event" in words
    assert "FILTERED_BY_RULES the destination's filter leaves it out" in words
    assert "Events that came in in the last hour: 3. Deliveries: 3." in words
    assert 'href="/console/events/2/0"' in text
    assert 'href="/console/destinations/picky"' in text
    assert 'href="/console/?range=24h" aria-current="true"' in text
    assert "style=" not in text


async def test_the_part_that_is_fetched_again_is_the_same(relay: RelayHere, receiver: Receiver) -> None:
    await relay.post("/v1/track", event(event="Wanted"))
    await settled(relay, 1)
    async with visitor_of(relay) as visitor:
        part = await visitor.get("/console/overview/figures?range=7d")
        assert "<html" not in part.text
        assert "Over the last 7 days" in part.words
        assert (await visitor.get("/console/overview/figures?range=8d")).status == 400


async def test_every_chart_has_lines_and_its_table_has_the_same_ones(
    relay: RelayHere, receiver: Receiver
) -> None:
    await relay.post("/v1/track", event(event="Wanted"))
    await settled(relay, 1)
    async with visitor_of(relay) as visitor:
        async with visitor.session.get(f"{relay.admin}/console/overview/series?range=1h") as response:
            data: dict[str, Any] = await response.json()
        text = (await visitor.get("/console/")).text
    assert len(data["at"]) == 61 or len(data["at"]) == 60
    charts = set(data) - {"at"}
    assert charts == {"throughput", "errors", "delay", "backlog", "lag"}
    for name in charts:
        assert f'data-chart="{name}"' in text
        assert f'id="table-{name}"' in text
        for line in data[name]:
            assert len(line["values"]) == len(data["at"])
            assert f"<bdi>{line['label']}</bdi></th>" in text
    names = {line["of"] for name in charts - {"throughput"} for line in data[name]}
    assert names == {"hook", "picky"}, "one colour in all charts"
    assert {line["of"] for line in data["throughput"]} == {"source web", *names}
    assert max(n or 0 for n in data["throughput"][0]["values"]) > 0


async def test_without_destinations_it_says_what_to_do(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay, visitor_of(relay) as visitor:
        await relay.post("/v1/track", event())
        await eventually(lambda: relay.app.feed.cursor == 1, 30, lambda: "not admitted")
        assert "There is no destination. Add one to relay.toml" in (await visitor.get("/console/")).words


async def test_nobody_sees_it_without_signing_in(relay: RelayHere) -> None:
    async with visitor_of(relay, None) as visitor:
        for path in (
            "/console/",
            "/console/overview/figures",
            "/console/overview/series",
            "/console/overview/first",
        ):
            assert (await visitor.get(path)).status in (303, 401), path


def test_reasons_of_several_sources_are_one() -> None:
    def stage(n: int, *places: tuple[int, int]) -> Stage:
        return Stage(n, (Reason("bot", "filtered", "", n, places),))

    whole = _merged([stage(2, (9, 0), (1, 0)), stage(3, (5, 0)), Stage(1, (Reason("x", "blocked", "", 1),))])
    assert whole.events == 6
    assert [(r.code, r.events, r.samples) for r in whole.reasons] == [
        ("bot", 5, ((9, 0), (5, 0), (1, 0))),
        ("x", 1, ()),
    ]


def of(**fields: Any) -> DestinationFunnel:
    none = Stage(0, ())
    stages = dict.fromkeys(
        ("failed_on_ingest", "filtered_at_source", "filtered_at_destination", "failed_delivery"), none
    )
    numbers = dict.fromkeys(
        ("carried", "redriven", "received", "delivered", "pending_retry", "in_hand", "dead_letters", "lag"), 0
    )
    shares = dict.fromkeys(("error_rate", "p50", "p95"))
    return DestinationFunnel(**{"name": "hook", "state": "running", **stages, **numbers, **shares, **fields})


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (of(), None),
        (of(error_rate=0.25, in_hand=2), "25 %"),
        (of(state="held", in_hand=2, pending_retry=300), "takes nothing, 302 wait"),
        (of(state="held", in_hand=2, error_rate=0.0), "0 %, takes nothing, 2 wait"),
        (of(state="held"), None),
    ],
)
def test_what_is_held_is_in_no_rate_and_is_said(one: DestinationFunnel, said: str | None) -> None:
    assert error_words(one) == said
