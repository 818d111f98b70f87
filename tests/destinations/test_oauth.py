"""Where one logs in, how tokens are asked for, and what of an answer may be seen."""

import json
from typing import Any, ClassVar
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from relay.destinations.base import Request
from relay.destinations.oauth import OAuth, OAuthDestination, OAuthSettings, Tokens, refusal, with_token
from relay.destinations.reply import Reply
from relay.destinations.secrets import SHOWN, mask, secrets_of, shown_headers


class Toy(OAuthDestination, frozen=True):
    title: ClassVar[str] = "Toy"
    summary: ClassVar[str] = "To be tried."
    oauth_at: ClassVar[OAuth] = OAuth(
        "https://login.example.com/authorize?tenant=1",
        "https://api.example.com/token",
        (),
        {"prompt": "consent"},
    )


TOY = Toy(oauth=OAuthSettings("my id", "my secret"))


def answer(value: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value))


def test_the_page_of_consent_never_sees_the_secrets() -> None:
    url = TOY.consent_url("http://127.0.0.1:8081/oauth/callback", "the state", "the verifier")
    assert url.startswith("https://login.example.com/authorize?tenant=1&response_type=code&client_id=my+id&")
    query = dict(parse_qsl(urlsplit(url).query))
    assert "scope" not in query  # the vendor has none
    assert query["prompt"] == "consent"
    assert "my secret" not in query.values()
    assert "the verifier" not in query.values()


def test_the_challenge_is_that_of_the_standard() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    query = parse_qs(urlsplit(TOY.consent_url("http://a/", "s", verifier)).query)
    assert query["code_challenge"] == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]


def test_tokens_may_be_asked_for_elsewhere() -> None:
    given = OAuthSettings("id", "secret", refresh_token_url="https://test.example.com/token")
    assert TOY.renewal("r").url == "https://api.example.com/token"
    assert Toy(oauth=given).renewal("r").url == "https://test.example.com/token"
    assert Toy(oauth=given).exchange("c", "http://a/", "v").url == "https://test.example.com/token"


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        ({"access_token": "a"}, Tokens("a", "", 7.0)),
        ({"access_token": "a", "refresh_token": "r", "expires_in": 60}, Tokens("a", "r", 7.0, 60.0)),
        ({"access_token": "a", "refresh_token": None, "expires_in": "60"}, Tokens("a", "", 7.0, 60.0)),
        ({"access_token": ""}, None),
        ({"access_token": 5}, None),
        ({"ok": False, "error": "no"}, None),
        (["access_token"], None),
        ("access_token", None),
    ],
)
def test_what_an_answer_grants(value: Any, tokens: Tokens | None) -> None:
    assert TOY.granted(answer(value), 7.0) == tokens


def test_an_answer_that_is_no_json_grants_nothing() -> None:
    assert TOY.granted(Reply(200, "<html>"), 7.0) is None


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (answer({"error": "invalid_grant"}, 400), "invalid_grant"),
        (answer({"error": "the token my-5ecret is wrong"}, 400), "400"),
        (answer({"error": "x" * 61}, 400), "400"),
        (answer({"error": {"code": 1}}, 403), "403"),
        (answer({}), "no token in the answer"),
        (Reply(401, "my-5ecret"), "401"),
    ],
)
def test_of_a_refusal_only_a_code_is_shown(reply: Reply, reason: str) -> None:
    assert refusal(reply) == reason


def test_the_first_tokens_are_those_of_the_settings() -> None:
    assert TOY.first_tokens is None
    assert Toy(oauth=OAuthSettings(refresh_token="r")).first_tokens == Tokens("", "r")
    one = Toy(oauth=OAuthSettings(access_token="a", refresh_token="r"))
    assert (one.first_tokens, one.token) == (Tokens("a", "r"), "a")


def test_what_is_secret_in_the_settings_is_hidden() -> None:
    one = Toy(oauth=OAuthSettings("id", "client-5ecret", "access-5ecret", "refresh-5ecret"))
    body = one.renewal("refresh-5ecret").body.decode()
    assert body.count("5ecret") == 2
    assert "5ecret" not in mask(secrets_of(one))(body)


def test_the_token_of_a_request_is_a_secret() -> None:
    signed = with_token(Request("GET", "https://api.example.com/", {"accept": "x"}), "token")
    assert signed.headers == {"accept": "x", "authorization": "Bearer token"}
    assert shown_headers(signed, mask(())) == {"accept": "x", "authorization": SHOWN}


@pytest.mark.parametrize(
    ("tokens", "now", "is_due", "is_over"),
    [
        (Tokens("a"), 1e9, False, False),
        (Tokens("a", "r"), 1e9, False, False),
        (Tokens("", "r"), 0, True, True),
        (Tokens("a", "r", 100, 1000), 1039, False, False),
        (Tokens("a", "r", 100, 1000), 1040, True, False),
        (Tokens("a", "r", 100, 1000), 1100, True, True),
        (Tokens("a", "r", 100, 100), 189, False, False),  # a short life: a tenth of it before
        (Tokens("a", "r", 100, 100), 190, True, False),
        (Tokens("a", "", 100, 1000), 1099, False, False),
        (Tokens("a", "", 100, 1000), 1100, False, True),
    ],
)
def test_when_a_token_is_due_and_when_it_is_over(
    tokens: Tokens, now: float, is_due: bool, is_over: bool
) -> None:
    assert (tokens.is_due(now), tokens.is_over(now)) == (is_due, is_over)
