"""context and integrations: what the event says, what its envelope says, what the request shows."""

import pytest

from tests.admission.normal import Json, event, normal, track

IP = "203.0.113.7"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"
SDK = "analytics-python/2.4.0"


def context(fields: Json, **how: object) -> Json:
    return dict(normal(fields, **how)["context"])


def test_a_clients_address_and_browser_are_filled_in() -> None:
    assert context(track(), client=True, agent=BROWSER) == {"ip": IP, "userAgent": BROWSER}
    found = context(track(context={"page": {"path": "/"}}), client=True, agent=BROWSER)
    assert found == {"ip": IP, "userAgent": BROWSER, "page": {"path": "/"}}


def test_a_servers_are_not() -> None:
    assert context(track(), agent=BROWSER) == {}
    assert context(track(context={"a": 1}), agent=BROWSER) == {"a": 1}


@pytest.mark.parametrize("given", ["0.0.0.0", "198.51.100.1", "::1"])
def test_a_given_address_wins(given: str) -> None:
    found = context(track(context={"ip": given, "userAgent": "mine"}), client=True, agent=BROWSER)
    assert found == {"ip": given, "userAgent": "mine"}


@pytest.mark.parametrize("absent", [None, ""])
def test_null_and_empty_are_filled_in_like_what_is_absent(absent: object) -> None:
    found = context(track(context={"ip": absent, "userAgent": absent}), client=True, agent=BROWSER)
    assert found == {"ip": IP, "userAgent": BROWSER}


def test_an_address_that_may_not_be_stored_is_not() -> None:
    assert context(track(), client=True, ip=None, agent=BROWSER) == {"userAgent": BROWSER}


def test_a_server_may_say_that_its_connection_is_the_users() -> None:
    found = context(track(context={"direct": True}), agent=BROWSER)
    assert found == {"direct": True, "ip": IP}
    found = context(track(context={"direct": True, "ip": "0.0.0.0"}))
    assert found == {"direct": True, "ip": "0.0.0.0"}


@pytest.mark.parametrize("direct", [False, None, "true", 1, {}])
def test_direct_is_true_and_nothing_else(direct: object) -> None:
    assert "ip" not in context(track(context={"direct": direct}))


def test_direct_may_stand_in_the_envelope() -> None:
    assert context(track(), envelope={"context": {"direct": True}})["ip"] == IP


def test_the_library_is_the_events_own_else_the_envelopes_else_the_user_agents() -> None:
    own, shared = {"name": "own", "version": "1"}, {"name": "shared", "version": "2"}
    envelope = {"context": {"library": shared}}
    assert context(track(context={"library": own}), envelope=envelope, agent=SDK)["library"] == own
    assert context(track(), envelope=envelope, agent=SDK)["library"] == shared
    expected = {"name": "analytics-python", "version": "2.4.0"}
    assert context(track(), agent=SDK)["library"] == expected
    assert context(track(context={"a": 1}), agent=SDK)["library"] == expected
    assert context(track(context={"library": None}), agent=SDK)["library"] == expected
    assert context(track(), client=True, agent=SDK)["library"] == expected


@pytest.mark.parametrize("agent", [BROWSER, None, "", "curl", "a b/1.0", "name/x"])
def test_of_any_other_user_agent_no_library_is_made(agent: str | None) -> None:
    assert "library" not in context(track(), agent=agent)


def test_what_the_envelope_says_of_all_is_merged_under_what_an_event_says_of_itself() -> None:
    shared = {"app": {"name": "shop"}, "locale": "de"}
    assert context(track(context={"locale": "fr"}), envelope={"context": shared}) == {
        **shared,
        "locale": "fr",
    }
    assert context(track(), envelope={"context": shared}) == shared
    integrations = {"All": False, "Mixpanel": True}
    found = normal(track(integrations={"Mixpanel": {"x": 1}}), envelope={"integrations": integrations})
    assert found["integrations"] == {"All": False, "Mixpanel": {"x": 1}}
    assert normal(track(), envelope={"integrations": integrations})["integrations"] == integrations


@pytest.mark.parametrize("odd", [None, [], "", {}, 5, "text", [1]])
def test_an_envelope_with_odd_shared_parts_fails_no_event(odd: object) -> None:
    found = normal(track(context={"a": 1}), envelope={"context": odd, "integrations": odd})
    assert (found["context"], found["integrations"]) == ({"a": 1}, {})


@pytest.mark.parametrize("empty", [..., None, [], {}, ""])
def test_context_and_integrations_are_always_objects(empty: object) -> None:
    found = normal(track(context=empty, integrations=empty))
    assert (found["context"], found["integrations"]) == ({}, {})


def test_identify_takes_its_traits_from_the_context_when_it_has_none() -> None:
    traits = {"email": "a@b.c"}
    assert normal(event("identify", context={"traits": traits}))["traits"] == traits
    empties: list[object] = [None, [], {}, ""]
    for empty in empties:
        assert normal(event("identify", traits=empty, context={"traits": traits}))["traits"] == traits
    own = {"plan": "pro"}
    assert normal(event("identify", traits=own, context={"traits": traits}))["traits"] == own


@pytest.mark.parametrize("odd", [None, [], "text", 5])
def test_traits_in_the_context_that_are_no_object_are_nobodys(odd: object) -> None:
    assert "traits" not in normal(event("identify", context={"traits": odd}))


def test_other_types_do_not_take_traits_from_the_context() -> None:
    assert "traits" not in normal(track(context={"traits": {"a": 1}}), client=True, agent=BROWSER)
    assert "traits" not in normal(event("group", groupId="g", context={"traits": {"a": 1}}))
