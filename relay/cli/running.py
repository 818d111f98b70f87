"""The running relay that a configuration describes: where it listens, and the keys that open its doors."""

import ssl
from base64 import b64encode
from collections.abc import Mapping
from functools import cached_property
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import click

from relay import __version__
from relay.cli.client import CannotDo, Client, Refused
from relay.cli.config_file import read_leniently, require
from relay.config import DEFAULT_SOURCE, Config
from relay.config_checks import parse_address
from relay.config_errors import suggestion
from relay.data_directory import read_secret
from relay.gateway.config import SourceConfig

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  where to reach what listens there
UNAUTHORIZED = 401


class Running:
    """Talks to the relay of a relay.toml (None: ./relay.toml if there, else the defaults)."""

    def __init__(self, file: Path | None) -> None:
        self.config = read_leniently(file)

    def get(self, path: str, **query: object) -> Any:
        """Ask the admin listener."""
        return self._explained(lambda: self._admin.get(path, **query))

    def post(self, path: str, body: object = None) -> Any:
        return self._explained(lambda: self._admin.post(path, body))

    def delete(self, path: str) -> Any:
        return self._explained(lambda: self._admin.delete(path))

    def stream(self, path: str, query: Mapping[str, object]) -> HTTPResponse:
        """Listen to server-sent events."""
        headers = {"Accept": "text/event-stream"}
        return self._explained(lambda: self._admin.open("GET", path, query, headers=headers))  # type: ignore[no-any-return]

    def send(self, source: SourceConfig, kind: str, event: object) -> None:
        """Give an event to the public listener, as an SDK does."""
        server = self.config.server
        key = b64encode(f"{require(self.config, source.keys[0])}:".encode()).decode()
        headers = {"Authorization": f"Basic {key}", "User-Agent": f"relay-send/{__version__}"}
        tls = None if server.tls_cert is None else _only(Path(server.tls_cert))
        client = Client(self.public, headers, tls)
        try:
            client.post(f"/v1/{kind}", event)
        except Refused as error:
            found = [
                f"\n{each['field']}: {each['description']}" for each in error.answer.get("violations", [])
            ]
            text = f"relay did not take the event of source `{source.name}`: {error}{''.join(found)}"
            raise CannotDo(text) from None

    @property
    def public(self) -> str:
        """Where its public listener is."""
        server = self.config.server
        return _url("http" if server.tls_cert is None else "https", server.listen)

    def source(self, name: str | None) -> SourceConfig:
        """The source called `name`, else the first that is enabled."""
        sources = self.config.sources or (self._default_source(),)
        for source in sources:
            if source.name == name or (name is None and source.enabled):
                return source
        if name is None:
            raise CannotDo("no source is enabled")
        known = suggestion(name, [source.name for source in sources])
        raise click.UsageError(f"there is no source `{name}`{known}")

    def unknown_source(self, name: str) -> str | None:
        """A sentence when relay.toml has no source `name`."""
        names = [source.name for source in self.config.sources] or [DEFAULT_SOURCE]
        return None if name in names else f"there is no source `{name}`{suggestion(name, names)}"

    def unknown_destination(self, name: str) -> str | None:
        """A sentence when relay.toml has no destination `name`."""
        names = [destination.name for destination in self.config.destinations]
        return None if name in names else f"there is no destination `{name}`{suggestion(name, names)}"

    @cached_property
    def _admin(self) -> Client:
        server = self.config.server
        token = server.admin_token and require(self.config, server.admin_token)
        headers = {"Authorization": f"Bearer {token or self._secret('admin_token', 'admin token')}"}
        return Client(_url("http", server.admin), headers)

    def _default_source(self) -> SourceConfig:
        return SourceConfig(name=DEFAULT_SOURCE, write_key=self._secret("write_key", "write key"))

    def _secret(self, name: str, words: str) -> str:
        folder = data_directory(self.config)
        found = read_secret(folder, name)
        if found is None:
            raise CannotDo(
                f"there is no {words}: the configuration names none, and {folder / name} cannot be read "
                "(`relay serve` makes it; is this the folder where relay was started?)"
            )
        return found

    def _explained(self, ask: Any) -> Any:
        try:
            return ask()
        except Refused as error:
            if error.status != UNAUTHORIZED:
                raise
            of = "the configuration" if self.config.server.admin_token else "the data directory"
            raise CannotDo(
                f"relay on {self._admin.url} does not accept the admin token of {of}: if it was changed, "
                "relay must be restarted"
            ) from None


def data_directory(config: Config) -> Path:
    return Path(require(config, config.server.data_dir))


def _url(scheme: str, address: str) -> str:
    host, port = parse_address(address)
    if port == 0:
        raise CannotDo(f"relay listens on any free port ({address}): name one, so that it can be found")
    host = _EVERYWHERE.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _only(cert: Path) -> ssl.SSLContext:
    """TLS that trusts the first certificate of this file and no other, so that the name in it does not matter."""
    end = "-----END CERTIFICATE-----"
    try:
        first, found, _ = cert.read_text("ascii").partition(end)
        context = ssl.create_default_context(cadata=first + found + "\n")
    except (OSError, ValueError) as error:
        raise CannotDo(f"{cert}: not a certificate that can be read: {error}") from None
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
