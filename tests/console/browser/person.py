"""A person at the console, in a real Chromium; what the pages said to the browser's console is an error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Page, StorageState, async_playwright

from relay.console.build import BUILT, SOURCES
from relay.npm import build
from tests.acceptance.relay_process import webhook
from tests.browser.visit import CHROMIUM, FLAGS
from tests.gateway.relay_here import ADMIN_TOKEN, SOURCE, RelayHere, relay_here
from tests.receiver import Receiver

SECONDS = 60  # of patience: the machine may be busy


@dataclass
class Desk:
    """A relay with one source and a webhook, and a browser to look at it with."""

    relay: RelayHere
    receiver: Receiver
    browser: Browser
    signed_in: dict[str, StorageState] = field(
        default_factory=dict
    )  # by token: the cookies of who signed in before

    @asynccontextmanager
    async def person(
        self,
        token: str | None = ADMIN_TOKEN,
        *,
        is_dark: bool = False,
        width: int = 1280,
        may_say: tuple[str, ...] = (),
    ) -> AsyncIterator[Page]:
        """Signed in, unless `token` is None. At the end nothing stands in the browser's console but `may_say`."""
        context = await self.browser.new_context(
            locale="en-US",
            timezone_id="UTC",
            color_scheme="dark" if is_dark else "light",
            viewport={"width": width, "height": 900},
            base_url=self.relay.admin,
            storage_state=self.signed_in.get(token or ""),
        )
        context.set_default_timeout(SECONDS * 1000)
        page = await context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        try:
            if token is not None and token not in self.signed_in:
                await page.goto("/console/sign-in?next=/console/configuration")
                await page.get_by_label("Token").fill(token)
                await page.get_by_role("button", name="Sign in").click()
                await page.wait_for_url(f"{self.relay.admin}/console/configuration")
                self.signed_in[token] = await context.storage_state()
            yield page
        finally:
            await context.close()
        left = [text for text in said if not any(part in text for part in may_say)]
        assert left == [], left


@asynccontextmanager
async def desk_in(folder: Path, tables: str | None = None) -> AsyncIterator[Desk]:
    """`tables` instead of the source and the webhook; `{url}` in it is the receiver's."""
    build(SOURCES, BUILT)
    async with Receiver() as receiver:
        config = SOURCE + webhook(receiver.url) if tables is None else tables.replace("{url}", receiver.url)
        async with (
            relay_here(folder, config) as relay,
            async_playwright() as playwright,
            await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser,
        ):
            yield Desk(relay, receiver, browser)
