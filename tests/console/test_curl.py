"""Where a command that is pasted sends to."""

from types import SimpleNamespace

import pytest

from relay.console.curl import public_address


@pytest.mark.parametrize(
    ("listen", "certificate", "seen_as", "address"),
    [
        ("127.0.0.1:8080", None, "relay.test", "http://127.0.0.1:8080"),
        ("0.0.0.0:8080", None, "relay.test", "http://relay.test:8080"),
        ("[::]:8080", "cert.pem", "::1", "https://[::1]:8080"),
        ("0.0.0.0:8080", None, None, "http://0.0.0.0:8080"),
    ],
)
def test_a_listener_for_all_addresses_is_called_as_the_console_was(
    listen: str, certificate: str | None, seen_as: str | None, address: str
) -> None:
    server = SimpleNamespace(listen=listen, tls_cert=certificate)
    assert public_address(server, seen_as) == address
