"""The `[server]` table and the `[[sources]]` of relay.toml."""

from typing import Literal

import msgspec

from relay.browser.proxy_config import SegmentConfig
from relay.destinations.transformations import Transformation
from relay.plans.controls import Controls


class ServerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[server]`: where relay listens and who may look."""

    listen: str = "127.0.0.1:8080"
    admin: str = "127.0.0.1:8081"
    admin_token: str | None = None
    read_token: str | None = None
    encryption_key: str | None = None  # seals OAuth tokens; None: they are kept as they are
    data_dir: str = "data"
    tls_cert: str | None = None
    tls_key: str | None = None
    trusted_proxies: tuple[str, ...] = ()


class SourceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `[[sources]]`: an SDK's write key and what its traffic may do."""

    name: str
    write_key: str | None = None
    write_keys: tuple[str, ...] = ()
    enabled: bool = True
    rate_limit: float = 500.0  # requests a second: the promise to every source
    burst: float | None = None  # requests the bucket holds; None: two seconds' worth
    allowed_origins: tuple[str, ...] | None = None  # None: any
    bots: Literal["keep", "drop", "mark"] = "keep"  # events of crawlers and the like
    consent_manager: Literal["onetrust"] | None = None  # what relay's analytics.js asks before it starts
    plan: str | None = None  # a JSON file with the tracking plan that its events must keep
    strict: bool = False  # requests with events that do not keep the plan are refused
    controls: Controls = Controls()  # what becomes of those that do not
    transformations: tuple[Transformation, ...] = ()  # of its events, before any destination sees them
    segment: SegmentConfig | None = None  # its browsers go on with Segment's script and settings

    @property
    def keys(self) -> tuple[str, ...]:
        """Every write key that is valid now; two while a key is rotated."""
        return ((self.write_key,) if self.write_key else ()) + self.write_keys
