"""`[[alerts]]` and `[smtp]`: what their keys say together."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from relay.alerts.config import CHANNELS, AlertConfig, SmtpConfig
from relay.config_errors import Problems, Table, suggestion

_RATE = "violation_rate"
_HERE = frozenset(("localhost", "127.0.0.1", "::1"))


def check_alerts(
    alerts: Iterable[Table], smtp: Table | None, sources: Iterable[str], problems: Problems
) -> None:
    """`sources` are the names of those there are. Without `[smtp]`, `smtp` is None."""
    known = list(sources)
    for alert in alerts:
        _check_lists(alert, known, problems)
        _check_channels(alert, smtp, problems)
        _check_rate(alert, problems)
    if smtp is not None:
        _check_pair(smtp, problems)


def _check_lists(alert: Table, known: list[str], problems: Problems) -> None:
    for place, name in alert.items("sources"):
        if name not in known:
            problems.add(place, f"unknown source `{name}`{suggestion(name, known)}")
    for key in ("sources", "events"):
        if alert.values.get(key) == ():
            problems.add(
                (*alert.place, key), f"`{key}` is empty: nothing would ever be told; left out, it means all"
            )


def _check_channels(alert: Table, smtp: Table | None, problems: Problems) -> None:
    values = alert.values
    if all(key in values and not values[key] for key in CHANNELS):
        problems.add(alert.place, "an alert needs a channel: `webhook`, `slack` or `email`")
    if values.get("secret") is not None and values.get("webhook", "") is None:
        problems.add((*alert.place, "secret"), "`secret` needs `webhook`: it signs what goes there")
    if values.get("email") and smtp is None:
        problems.add(
            (*alert.place, "email"), "`email` needs a table `[smtp]`: the server that takes the mail"
        )


def _check_rate(alert: Table, problems: Problems) -> None:
    values = alert.values
    for key in ("over", "within"):
        if key not in values or "on" not in values:
            continue
        if values["on"] == _RATE and values[key] is None:
            problems.add(
                alert.place,
                f'missing key `{key}`: `on = "{_RATE}"` is more than `over` violations within `within`',
            )
        elif values["on"] != _RATE and values[key] is not None:
            problems.add((*alert.place, key), f'`{key}` is for `on = "{_RATE}"` only')


def _check_pair(smtp: Table, problems: Problems) -> None:
    for key, other in (("username", "password"), ("password", "username")):
        if smtp.values.get(key) is not None and smtp.values.get(other, "") is None:
            problems.add((*smtp.place, key), f"`{key}` needs `{other}`")


def alerts_of(tables: Iterable[Table]) -> tuple[AlertConfig, ...]:
    return tuple(AlertConfig(**table.values) for table in tables)


def smtp_of(table: Table | None) -> SmtpConfig | None:
    return None if table is None else msgspec.convert(table.values, SmtpConfig)


def clear_passwords(smtp: Table | None, path: Any) -> Iterator[str]:
    """A note when a password goes over the network for everybody to read."""
    values = {} if smtp is None else smtp.values
    if values.get("password") and values["security"] == "none" and values["host"] not in _HERE:
        yield f'{path}: the password of `[smtp]` is sent as it is: `security = "none"`'
