"""Sessions: made of a token, good for a working day, ended by signing out or by another token."""

import pytest

from relay.console.sessions import RENEWED_AFTER, SECONDS, Session, Sessions


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(lambda: "admin", lambda: "reader", clock)


def signed_in(sessions: Sessions, token: str = "admin") -> Session:
    session = sessions.sign_in(token)
    assert session is not None
    return session


def test_each_token_gives_its_role(sessions: Sessions) -> None:
    assert signed_in(sessions).can_change
    assert not signed_in(sessions, "reader").can_change
    assert sessions.sign_in("another") is None
    assert sessions.sign_in("") is None


def test_without_a_read_token_nobody_is_a_reader() -> None:
    sessions = Sessions(lambda: "admin", lambda: None)
    assert sessions.sign_in("None") is None
    assert sessions.sign_in("") is None


def test_a_cookie_is_read_for_a_working_day(sessions: Sessions, clock: Clock) -> None:
    session = signed_in(sessions)
    cookie = sessions.cookie(session)
    clock.now += SECONDS
    assert sessions.read(cookie) == session
    clock.now += 1
    assert sessions.read(cookie) is None


def test_whoever_is_at_work_is_not_signed_out(sessions: Sessions, clock: Clock) -> None:
    session = signed_in(sessions)
    clock.now += RENEWED_AFTER
    assert sessions.renewed(session) is None
    clock.now += 1
    renewed = sessions.renewed(session)
    assert renewed is not None
    clock.now += SECONDS - 1
    assert sessions.read(sessions.cookie(renewed)) == renewed
    assert sessions.form_token(renewed) == sessions.form_token(session)


@pytest.mark.parametrize("cookie", ["", ".", "a.b.c.d", "admin.1.n.", "\udc80.1.2.3", "admin.x.y.z.u.v"])
def test_a_cookie_that_relay_did_not_make_is_none(cookie: str, sessions: Sessions) -> None:
    assert sessions.read(cookie) is None


def test_a_reader_cannot_make_an_admin_of_the_cookie(sessions: Sessions) -> None:
    cookie = sessions.cookie(signed_in(sessions, "reader"))
    assert sessions.read(cookie.replace("reader", "admin", 1)) is None


def test_signing_out_ends_the_session_and_its_renewals(sessions: Sessions, clock: Clock) -> None:
    session, other = signed_in(sessions), signed_in(sessions)
    clock.now += RENEWED_AFTER + 1
    renewed = sessions.renewed(session)
    assert renewed is not None
    sessions.sign_out(session)
    assert sessions.read(sessions.cookie(session)) is None
    assert sessions.read(sessions.cookie(renewed)) is None
    assert sessions.read(sessions.cookie(other)) == other


def test_another_token_ends_all_sessions() -> None:
    token = ["first"]
    sessions = Sessions(lambda: token[0], lambda: None)
    cookie = sessions.cookie(signed_in(sessions, "first"))
    token[0] = "second"
    assert sessions.read(cookie) is None


def test_another_read_token_ends_the_sessions_of_readers_only() -> None:
    token = ["first"]
    sessions = Sessions(lambda: "admin", lambda: token[0])
    admin, reader = signed_in(sessions), signed_in(sessions, "first")
    cookies = [sessions.cookie(one) for one in (admin, reader)]
    token[0] = "second"
    assert [sessions.read(cookie) for cookie in cookies] == [admin, None]


def test_a_form_is_of_one_session(sessions: Sessions) -> None:
    one, other = signed_in(sessions), signed_in(sessions)
    assert sessions.is_form_token(one, sessions.form_token(one))
    assert not sessions.is_form_token(one, sessions.form_token(other))
    assert not sessions.is_form_token(one, "")


def test_what_was_signed_out_stays_so_as_long_as_its_renewals_are_good(
    sessions: Sessions, clock: Clock
) -> None:
    session = signed_in(sessions)
    clock.now += SECONDS - 1
    renewed = sessions.renewed(session)
    assert renewed is not None
    cookie = sessions.cookie(renewed)
    sessions.sign_out(session)
    clock.now += 2
    sessions.sign_out(signed_in(sessions))
    assert sessions.read(cookie) is None


def test_the_token_of_a_form_is_no_cookie(sessions: Sessions) -> None:
    session = signed_in(sessions)
    assert sessions.read(f"form.{session.nonce}.{sessions.form_token(session)}") is None
