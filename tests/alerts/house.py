"""Alerts over a real state database, a clock that a test moves, and mail and HTTP servers that remember."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from relay.alerts.alerts import Alerts
from relay.alerts.config import AlertConfig, SmtpConfig
from relay.config_errors import convert
from relay.log.state import SQL, State, rows_json
from tests.alerts.world import World
from tests.delivery.clock import Clock

START = 1_790_000_000.0  # 2026-09-21 14:13 UTC
PRICE = ("Invalid Type", "properties.price", "Invalid type. Expected: number, given: string")


class House:
    """`alerts` is what is tested. After `open` of a second one, the first has stopped as a crash stops it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.clock = clock
        self.alerts: Alerts
        self.state: State
        self.world = World(clock)
        self._path = folder / "state.db"
        self._smtp: SmtpConfig | None = None
        self._rules: tuple[AlertConfig, ...] = ()

    async def open(self) -> None:
        self.state = await State.open(self._path)
        self.alerts = Alerts(self.state, self.world.sight(), self.clock)
        if self._rules:
            await self._apply()

    async def close(self) -> None:
        await self.alerts.close()
        await self.state.close()

    async def restart(self) -> None:
        await self.close()
        await self.open()

    async def rules(self, *rules: AlertConfig, smtp: SmtpConfig | None = None) -> None:
        """From now on these rules, as a reload takes them up."""
        self._rules, self._smtp = rules, smtp
        await self._apply()

    async def _apply(self) -> None:
        await self.alerts.apply(self._rules, self._smtp, {"web": "Shop"}, self.world.names())

    async def violate(
        self,
        event: str = "Order Completed",
        count: int = 1,
        source: str = "web",
        violation: tuple[str, str, str] = PRICE,
    ) -> None:
        """What admission does with violations: written down first, then told."""
        kind, field, description = violation
        at = int(self.clock() * 1000)
        row = (source, event, kind, field, description, count, at, at, "[]")
        await self.state.write(lambda c: c.execute(SQL["add_violations"], (rows_json([row]),)))
        self.alerts.observe({(source, event, kind, field): count})

    async def pass_by(self, seconds: float, each: float = 10.0) -> None:
        """So long, with a look every so often."""
        for _ in range(int(seconds / each)):
            await self.step(each)

    async def step(self, seconds: float = 0.0) -> float:
        """After so long, let alerts look once and send what is due."""
        self.clock.move(seconds)
        left = await self.alerts.step()
        await self.alerts.outbox.settled()
        return left

    async def channel(self, name: str = "alert", channel: str = "webhook") -> dict[str, Any]:
        """How a channel is doing."""
        (alert,) = [one for one in await self.alerts.status() if one["alert"] == name]
        (found,) = [one for one in alert["channels"] if one["channel"] == channel]
        return dict(found)


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    made = House(folder, Clock(START))
    await made.open()
    try:
        yield made
    finally:
        await made.close()


def rule(url: str | None = None, **keys: Any) -> AlertConfig:
    """One of `[[alerts]]`; without a channel a webhook at `url`."""
    given = {"name": "alert", "on": "new_violation"} | ({} if url is None else {"webhook": url}) | keys
    made: AlertConfig = convert(given, AlertConfig)
    return made


class MailServer:
    """An SMTP server. `password`: who logs in as `ann` must know it; needs `starttls`. `refuses`: recipients that it does not know."""

    def __init__(
        self,
        *,
        password: str | None = None,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
        refuses: Iterable[str] = (),
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.port = 0
        self._password = password
        self._starttls = starttls
        self._tls = tls
        self._refuses = set(refuses)
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _protocol(self) -> SMTP:
        return SMTP(
            self,
            hostname="mail.example.com",
            tls_context=self._starttls,
            require_starttls=self._starttls is not None,
            auth_required=self._password is not None,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        is_known = data.login == b"ann" and data.password.decode() == self._password
        return AuthResult(success=is_known, handled=False)

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address in self._refuses:
            return f"550 {address} is unknown here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append([str(one) for one in envelope.rcpt_tos])
        return "250 OK"


def smtp(server: MailServer, **keys: Any) -> SmtpConfig:
    given = {
        "host": "localhost",
        "port": server.port,
        "from": "relay <relay@example.com>",
        "security": "none",
    }
    made: SmtpConfig = convert(given | keys, SmtpConfig)
    return made
