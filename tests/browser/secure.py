"""The same ground as everywhere here, over TLS: the site, the front and relay itself show a certificate made for the test.

The browser takes it by its key and is lax about nothing else. Relay is reached by the front, which has Segment's library
under `/next`, or directly, at `direct`. What a test counts is what relay admitted.
"""

import base64
import hashlib
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import async_playwright

from relay.browser.build import BUILT, SOURCES
from relay.console.search import Search
from relay.npm import build
from tests.acceptance.relay_process import eventually
from tests.browser.front import SECONDS, Front, Pages
from tests.browser.visit import CHROMIUM, FLAGS, REFERENCE, Ground, install_reference
from tests.cli.certificate import write_certificate
from tests.gateway.relay_here import SOURCE, RelayHere, relay_here

EITHER = pytest.mark.parametrize("library", ["", "/next"], ids=["relay's", "segment's"])
MOST = 500  # events that the debugger is asked for


class Certificate(NamedTuple):
    """What a server shows (`context`), relay's lines for it, what a client trusts, and the browser's flag."""

    context: ssl.SSLContext
    lines: str
    trust: ssl.SSLContext
    flag: str


def certificate_in(folder: Path) -> Certificate:
    cert, key = write_certificate(folder, "*.example.test")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    trust = ssl.create_default_context(cafile=str(cert))
    trust.check_hostname = False  # the front asks for 127.0.0.1
    public = x509.load_pem_x509_certificate(cert.read_bytes()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pin = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    lines = f'tls_cert = "{cert}"\ntls_key = "{key}"\n'
    return Certificate(context, lines, trust, f"--ignore-certificate-errors-spki-list={pin}")


class SecureFront(Front):
    """The front as a host of the site's domain."""

    answers_to_lose = 0

    @property
    def url(self) -> str:
        return f"https://events.example.test:{self.port}"

    def lose(self, answers: int) -> None:
        """Pass the next events on, but answer 503, as if relay's answers had not come through."""
        self.answers_to_lose = answers

    async def _passed(self, request: web.Request, body: bytes) -> web.Response:
        response = await super()._passed(request, body)
        if request.method == "POST" and response.status == 200 and self.answers_to_lose:
            self.answers_to_lose -= 1
            return web.json_response({}, status=503, headers={"Access-Control-Allow-Origin": "*"})
        return response


@dataclass
class SecureGround(Ground):
    """Everything that stands while a module is tested, over TLS."""

    front: SecureFront

    @property
    def origin(self) -> str:
        return self.named_origin

    @property
    def named_origin(self) -> str:
        return f"https://www.example.test:{self.pages.port}"

    @property
    def direct(self) -> str:
        return f"https://direct.example.test:{self.relay.port}"


@asynccontextmanager
async def servers_before(target: str, shown: Certificate) -> AsyncIterator[tuple[SecureFront, Pages]]:
    """The front before `target`, and the site."""
    front, pages = SecureFront(target, REFERENCE), Pages()
    front.tls = pages.tls = shown.context
    front.trust = shown.trust
    async with front, pages:
        yield front, pages


@asynccontextmanager
async def secure_ground_in(folder: Path, tables: str = SOURCE) -> AsyncIterator[SecureGround]:
    build(SOURCES, BUILT)
    install_reference()
    shown = certificate_in(folder)
    async with (
        relay_here(folder, tables, shown.lines) as relay,
        servers_before(relay.public, shown) as (front, pages),
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=(*FLAGS, shown.flag))
        try:
            yield SecureGround(relay, front, pages, browser)
        finally:
            await browser.close()


def newest(relay: RelayHere, name: str | None = None) -> list[dict[str, Any]]:
    """What the debugger says of the newest events, in the order in which they came."""
    found = relay.app.debugger.newest(Search(event=name), MOST)
    return found[::-1]


def admitted(relay: RelayHere, holds: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The newest events that relay let through and for which `holds`, in the order in which they came."""
    events = [one["event"] for one in newest(relay) if one["verdict"] == "admitted"]
    return [event for event in events if holds(event)]


async def once(relay: RelayHere, names: list[str]) -> list[dict[str, Any]]:
    """The events tracked by these names, once all are there: each exactly once, in the order of `names`."""
    wanted = set(names)

    def found() -> list[dict[str, Any]]:
        return admitted(relay, lambda event: event.get("event") in wanted)

    def missing() -> list[str]:
        return sorted(wanted - {event["event"] for event in found()})

    await eventually(lambda: not missing(), SECONDS, lambda: f"{missing()} did not arrive")
    counts = Counter(event["event"] for event in found())
    assert set(counts.values()) == {1}, counts
    return sorted(found(), key=lambda event: names.index(event["event"]))
