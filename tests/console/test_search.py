"""What is found, by whom."""

import pytest

from relay.console.search import Search, search_of
from relay.event import Event
from relay.outcome import Outcome
from tests.destinations.events import event as made


def event(**fields: object) -> Event:
    return made({"type": "track", "event": "Order Completed", "messageId": "m-1", "userId": "Jane"} | fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "order",
        "ORDER jane",
        "completed  order",
        "m-1",
        "straße",
        'say "hi"',
        "back\\slash",
        "gold 12.5",
        "Ünter",
    ],
)
def test_words_are_found_wherever_they_are(text: str) -> None:
    properties = {
        "street": "Unter Straße 1",
        "said": 'say "hi"',
        "path": "back\\slash",
        "plan": "Gold",
        "n": 12.5,
        "x": "ünter",
    }
    assert Search(text=text).matches(event(properties=properties))


@pytest.mark.parametrize("text", ["order gone", "silver", "u\u00f6", "\ud800"])
def test_every_word_must_be_there(text: str) -> None:
    assert not Search(text=text).matches(event())


@pytest.mark.parametrize(
    ("search", "is_found"),
    [
        (Search(source="web"), True),
        (Search(source="app"), False),
        (Search(event="Order Completed"), True),
        (Search(event="track"), True),
        (Search(event="Order"), False),
        (Search(type="track", message_id="m-1"), True),
        (Search(type="page"), False),
        (Search(message_id="m"), False),
        (Search(only_violations=True), False),
    ],
)
def test_what_is_asked_for_by_field_is_exactly_so(search: Search, *, is_found: bool) -> None:
    one = event()
    one.source = "web"
    assert search.matches(one) is is_found


def test_a_blocked_event_breaks_its_plan() -> None:
    one = event()
    one.outcome = Outcome.BLOCKED
    assert Search(only_violations=True).matches(one)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (Search(), [True, True, True]),
        (Search(outcome="rejected"), [True, False, False]),
        (Search(outcome="retrying"), [False, True, False]),
        (Search(outcome="delivered"), [True, False, False]),
        (Search(outcome="delivered", destination="b"), [True, False, False]),
        (Search(outcome="delivered", destination="a"), [False, False, False]),
        (Search(destination="a"), [True, True, False]),
        (Search(outcome="duplicate"), [False, False, True]),
    ],
)
def test_outcomes_are_of_a_destination_or_of_any(search: Search, found: list[bool]) -> None:
    duplicate = event()
    duplicate.outcome = Outcome.DUPLICATE
    some: list[tuple[Event, dict[str, dict[str, str]]]] = [
        (event(), {"a": {"state": "rejected"}, "b": {"state": "delivered"}}),
        (event(), {"a": {"state": "parked"}}),
        (duplicate, {}),
    ]
    assert [search.matches_fates(*one) for one in some] == found


def test_a_query_string_asks_for_it() -> None:
    query = {"q": "a b", "source": "web", "violations": "true", "outcome": "retrying", "type": "", "x": "y"}
    assert search_of(query) == Search(source="web", text="a b", only_violations=True, outcome="retrying")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"outcome": "lost"}, "outcome must be one of delivered"),
        ({"violations": "yes"}, "violations must be true or false"),
    ],
)
def test_what_cannot_be_asked_for_is_told(query: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        search_of(query)
