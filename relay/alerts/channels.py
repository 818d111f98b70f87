"""The ways by which an alert goes out: a webhook, Slack, mail.

A channel takes a message or raises `Failed`, with a reason that holds neither its URL nor a password nor what a server
said: some repeat what they were given.
"""

import asyncio
import re
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Protocol

import aiohttp
import aiosmtplib
import structlog

from relay import __version__
from relay.alerts.config import AlertConfig, SmtpConfig
from relay.alerts.message import Message, as_json, as_slack
from relay.destinations.webhook import SIGNATURE, signature

HTTP_SECONDS = 10.0  # from connecting to the end of the answer
SMTP_SECONDS = 20.0  # mail servers make strangers wait
_SLACK_ERROR = re.compile(r"[a-z_]{3,40}")  # such as no_service, channel_is_archived
_OK = range(200, 300)

log = structlog.get_logger()


class Failed(Exception):
    """A channel did not take a message."""


class Channel(Protocol):
    """One way to somebody."""

    async def send(self, message: Message, key: str) -> None:
        """Raises Failed. `key` is the same for every try of a message."""


def new_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"relay/{__version__}", "Content-Type": "application/json"},
        timeout=aiohttp.ClientTimeout(total=HTTP_SECONDS),
    )


def channels_of(
    config: AlertConfig, smtp: SmtpConfig | None, session: aiohttp.ClientSession
) -> Mapping[str, Channel]:
    """The channels of a rule, by name."""
    return dict(_channels(config, smtp, session))


def _channels(
    config: AlertConfig, smtp: SmtpConfig | None, session: aiohttp.ClientSession
) -> Iterator[tuple[str, Channel]]:
    if config.webhook is not None:
        yield "webhook", Webhook(session, config.webhook, config.secret)
    if config.slack is not None:
        yield "slack", Slack(session, config.slack)
    if config.email and smtp is not None:
        yield "email", Email(smtp, config.email)


class Webhook:
    """JSON by POST, signed as events to a webhook are when there is a secret."""

    def __init__(self, session: aiohttp.ClientSession, url: str, secret: str | None) -> None:
        self._session = session
        self._url = url
        self._secret = secret

    async def send(self, message: Message, key: str) -> None:
        body = as_json(message, key)
        headers = {} if self._secret is None else {SIGNATURE: signature(self._secret, body)}
        status, _ = await _post(self._session, self._url, body, headers)
        if status not in _OK:
            raise Failed(f"HTTP {status}")


class Slack:
    """An incoming webhook."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def send(self, message: Message, key: str) -> None:  # noqa: ARG002  Slack knows no keys
        status, text = await _post(self._session, self._url, as_slack(message), {})
        if status not in _OK:
            why = f": {text}" if _SLACK_ERROR.fullmatch(text) else ""
            raise Failed(f"HTTP {status}{why}")


async def _post(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, str]:
    """The status and the beginning of the answer."""
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status, (await response.content.read(1000)).decode("utf-8", "replace").strip()
    except TimeoutError:
        raise Failed(f"no answer within {HTTP_SECONDS:.0f} s") from None
    except ValueError:  # InvalidURL is one; its text holds the URL
        raise Failed("a URL that cannot be asked") from None
    except (aiohttp.ClientError, OSError) as error:
        raise Failed(_connecting(error)) from None


def _connecting(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "there is no such host"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not valid"
    if isinstance(error, aiohttp.ClientConnectorError):
        is_refused = isinstance(error.os_error, ConnectionRefusedError)
        return "nobody listens there" if is_refused else "it cannot be reached"
    return f"the connection broke: {type(error).__name__}"


class Email:
    """A plain text message to one or more people, through the server of `[smtp]`.

    It is sent once some recipient was accepted: trying again for the others would repeat it to those.
    """

    def __init__(self, smtp: SmtpConfig, recipients: tuple[str, ...]) -> None:
        self._smtp = smtp
        self._recipients = recipients

    async def send(self, message: Message, key: str) -> None:
        smtp = self._smtp
        try:
            async with asyncio.timeout(SMTP_SECONDS):  # aiosmtplib's is for each step
                refused, _ = await aiosmtplib.send(
                    self._written(message, key),
                    hostname=smtp.host,
                    port=smtp.port,
                    username=smtp.username,
                    password=smtp.password,
                    use_tls=smtp.security == "tls",
                    start_tls=smtp.security == "starttls",
                    tls_context=None if smtp.security == "none" else ssl.create_default_context(),
                    timeout=SMTP_SECONDS,
                )
        except TimeoutError:  # SMTPTimeoutError is one
            raise Failed(f"no answer within {SMTP_SECONDS:.0f} s") from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Failed(_mailing(error)) from None
        if refused:
            log.warning(
                "an alert was refused for some recipients", alert=message.alert, recipients=len(refused)
            )

    def _written(self, message: Message, key: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._smtp.sender
        mail["To"] = ", ".join(self._recipients)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(datetime.fromtimestamp(message.at / 1000, UTC))
        mail["Message-ID"] = f"<{key}@{parseaddr(self._smtp.sender)[1].rpartition('@')[2]}>"  # of every try
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
        mail.set_content(message.text())
        return mail


def _mailing(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = sorted({str(one.code) for one in error.recipients})
        return f"the mail server refuses every recipient ({', '.join(codes)})"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        is_login = isinstance(error, aiosmtplib.SMTPAuthenticationError)
        return f"the mail server refuses{' the login' if is_login else ''} ({error.code})"
    if isinstance(error.__cause__ or error, ssl.SSLError):
        return "the mail server's certificate is not valid, or it does not speak TLS there"
    if isinstance(error, OSError):  # SMTPConnectError is one
        return "the mail server cannot be reached"
    if isinstance(error, aiosmtplib.SMTPException):  # which of them, only its text says
        return "the mail server lacks STARTTLS, a login, or addresses in UTF-8"
    return f"the mail cannot be sent: {type(error).__name__}"
