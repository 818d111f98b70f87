"""What each channel sends, and what it says when it cannot."""

import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from relay.alerts import channels
from relay.alerts.config import SmtpConfig
from relay.alerts.rules import GATHER_SECONDS
from relay.destinations.webhook import signature
from tests.alerts.house import House, MailServer, rule, smtp
from tests.cli.certificate import write_certificate
from tests.receiver import Receiver

PASSWORD = "pass-S3CRET"
ANN, BOB = "ann@example.com", "Bob <bob@example.com>"


async def told(alerts: House, *events: str) -> None:
    for event in events or ("Order Completed",):
        await alerts.violate(event)
    await alerts.step()
    await alerts.step(GATHER_SECONDS)


# webhook


async def test_a_webhook_is_signed_when_there_is_a_secret(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, secret="s"), rule(f"{receiver.url}/plain", name="plain"))
    await told(alerts)
    by_path = {request.path: request for request in receiver.requests}
    assert by_path["/"].headers["X-Signature"] == signature("s", by_path["/"].body)
    assert "X-Signature" not in by_path["/plain"].headers
    assert by_path["/"].headers["Content-Type"] == "application/json"
    assert by_path["/"].headers["User-Agent"].startswith("relay/")


async def test_no_redirect_is_followed(alerts: House, receiver: Receiver) -> None:
    receiver.answers((307, {"Location": f"{receiver.url}/elsewhere"}))
    await alerts.rules(rule(receiver.url))
    assert await alerts.alerts.test("alert") == {"webhook": "HTTP 307"}
    assert [request.path for request in receiver.requests] == ["/"]


async def test_an_answer_that_does_not_come_is_not_waited_for(
    alerts: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(channels, "HTTP_SECONDS", 0.1)
    await alerts.restart()
    receiver.hang()
    await alerts.rules(rule(receiver.url))
    assert await alerts.alerts.test("alert") == {"webhook": "no answer within 0 s"}


async def test_a_host_that_is_none_is_a_sentence(alerts: House) -> None:
    await alerts.rules(rule("http://host.invalid/S3CRET", slack="https://host.invalid/S3CRET"))
    problems = await alerts.alerts.test("alert")
    assert problems == {"webhook": "there is no such host", "slack": "there is no such host"}


async def test_a_test_says_that_it_is_one(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url))
    assert await alerts.alerts.test("alert") == {"webhook": None}
    (message,) = [request.json for request in receiver.requests]
    assert (message["test"], message["violations"]) == (True, [])
    assert message["text"].startswith("relay alert `alert`: a test, nothing is wrong")
    with pytest.raises(KeyError):
        await alerts.alerts.test("none")


# Slack


async def test_slack_gets_blocks_in_which_names_are_no_markup(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(slack=receiver.url))
    hostile = "`<!channel> & <https://evil.example|click>\n*bold*"
    await alerts.violate(hostile)
    await told(alerts, "Order Completed")
    (message,) = [request.json for request in receiver.requests]
    text = "\n".join(block["text"]["text"] for block in message["blocks"])
    assert "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt; *bold*" in text
    assert "`'&lt;!channel&gt;" in text
    assert "<" not in text
    assert all(block["text"]["verbatim"] for block in message["blocks"])
    assert message["text"] == "relay alert `alert`: source web: 2 new violations since 2026-09-21 14:13 UTC"
    assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)
    assert "relay plan violations --source web" in text


async def test_slack_s_limits_are_kept(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(slack=receiver.url))
    await told(alerts, *("&" * 600 + f"{number}" for number in range(30)))
    (message,) = [request.json for request in receiver.requests]
    assert max(len(block["text"]["text"]) for block in message["blocks"]) <= 3000
    assert len(message["blocks"]) <= 50
    assert min(len(block["text"]["text"]) for block in message["blocks"]) > 0


# mail


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's, for `localhost`, which this process trusts."""
    cert, key = write_certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context


async def test_mail_is_plain_text_to_everybody(alerts: House) -> None:
    async with MailServer() as server:
        await alerts.rules(rule(email=[ANN, BOB]), smtp=smtp(server))
        await told(alerts, "Café ☕")
        (mail,) = server.mails
        assert server.recipients == [["ann@example.com", "bob@example.com"]]
    headers = {name: str(mail[name]) for name in ("From", "To", "Subject", "Auto-Submitted")}
    assert headers == {
        "From": "relay <relay@example.com>",
        "To": f"{ANN}, {BOB}",
        "Subject": "[relay] alert: 1 new violation, source web",
        "Auto-Submitted": "auto-generated",
    }
    assert str(mail["Message-ID"]).endswith("-1@example.com>")
    assert mail.get_content_type() == "text/plain"
    assert "- `Café ☕` properties.price: Invalid type." in mail.get_content()


async def test_mail_by_starttls_with_a_login(alerts: House, certificate: ssl.SSLContext) -> None:
    async with MailServer(password=PASSWORD, starttls=certificate) as server:
        given = smtp(server, security="starttls", username="ann", password=PASSWORD)
        await alerts.rules(rule(email=[ANN]), smtp=given)
        assert await alerts.alerts.test("alert") == {"email": None}
        assert len(server.mails) == 1


async def test_mail_by_tls(alerts: House, certificate: ssl.SSLContext) -> None:
    async with MailServer(tls=certificate) as server:
        await alerts.rules(rule(email=[ANN]), smtp=smtp(server, security="tls"))
        assert await alerts.alerts.test("alert") == {"email": None}
        assert len(server.mails) == 1


async def test_a_certificate_that_is_not_trusted_is_refused(
    alerts: House, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    servers = {"starttls": MailServer(starttls=certificate), "tls": MailServer(tls=certificate)}
    for security, made in servers.items():
        async with made as server:
            await alerts.rules(rule(email=[ANN]), smtp=smtp(server, security=security))
            problem = "the mail server's certificate is not valid, or it does not speak TLS there"
            assert await alerts.alerts.test("alert") == {"email": problem}
            assert server.mails == []


async def test_without_starttls_nothing_is_sent_in_the_clear(alerts: House) -> None:
    async with MailServer() as server:
        await alerts.rules(rule(email=[ANN]), smtp=smtp(server, security="starttls"))
        problem = "the mail server lacks STARTTLS, a login, or addresses in UTF-8"
        assert await alerts.alerts.test("alert") == {"email": problem}
        assert server.mails == []


async def test_a_wrong_password_is_a_sentence_without_it(alerts: House, certificate: ssl.SSLContext) -> None:
    async with MailServer(password="another", starttls=certificate) as server:
        given = smtp(server, security="starttls", username="ann", password=PASSWORD)
        await alerts.rules(rule(email=[ANN]), smtp=given)
        with capture_logs() as logs:
            await told(alerts)
            found = await alerts.channel(channel="email")
        assert found["problem"] == "the mail server refuses the login (535)"
        assert logs[-1]["problem"] == found["problem"]
        assert PASSWORD not in str((logs, found))


async def test_one_recipient_who_is_refused_does_not_keep_it_from_the_others(alerts: House) -> None:
    async with MailServer(refuses=[ANN]) as server:
        await alerts.rules(rule(email=[ANN, BOB]), smtp=smtp(server))
        with capture_logs() as logs:
            await told(alerts)
            await alerts.step(3600)
        assert server.recipients == [["bob@example.com"]]
        assert "an alert was refused for some recipients" in {log["event"] for log in logs}
        await alerts.rules(rule(email=[ANN]), smtp=smtp(server))
        problem = "the mail server refuses every recipient (550)"
        assert await alerts.alerts.test("alert") == {"email": problem}


async def test_a_mail_server_that_is_not_there_is_a_sentence(alerts: House) -> None:
    async with MailServer() as server:
        gone: SmtpConfig = smtp(server)
    await alerts.rules(rule(email=[ANN]), smtp=gone)
    assert await alerts.alerts.test("alert") == {"email": "the mail server cannot be reached"}
