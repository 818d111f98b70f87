"""`[[alerts]]` and `[smtp]`: what their keys say together."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from relay.alerts.config import CHANNELS, KINDS, AlertConfig, SmtpConfig
from relay.config_errors import Problems, Table, suggestion

_NARROWING = ("sources", "events", "destinations")
_THRESHOLDS = ("over", "within", "after", "below", "change", "at_least")
_LONGEST = 7 * 86_400  # seconds: the history has a week, and a day to begin with
_SHORTEST = {  # it is written down once a minute
    "dead_letters": ("within", 60),
    "delivery_rate": ("within", 60),
    "source_blocked": ("within", 60),
    "source_silent": ("after", 300),
    "source_volume": ("within", 600),
}
_HERE = frozenset(("localhost", "127.0.0.1", "::1"))


def check_alerts(
    alerts: Iterable[Table],
    smtp: Table | None,
    sources: Iterable[str],
    destinations: Iterable[str],
    problems: Problems,
) -> None:
    """`sources` and `destinations` are the names of those there are. Without `[smtp]`, `smtp` is None."""
    known = {"sources": list(sources), "destinations": list(destinations)}
    for alert in alerts:
        for key, names in known.items():
            _check_names(alert, key, names, problems)
        _check_lists(alert, problems)
        _check_channels(alert, smtp, problems)
        if alert.values.get("on") in KINDS:
            _check_keys(alert, problems)
            _check_numbers(alert, problems)
    if smtp is not None:
        _check_pair(smtp, problems)


def _check_names(alert: Table, key: str, known: list[str], problems: Problems) -> None:
    for place, name in alert.items(key):
        if name not in known:
            problems.add(place, f"unknown {key[:-1]} `{name}`{suggestion(name, known)}")


def _check_lists(alert: Table, problems: Problems) -> None:
    for key in _NARROWING:
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


def _check_keys(alert: Table, problems: Problems) -> None:
    """Each kind has thresholds of its own, some of which it needs."""
    values, on = alert.values, alert.values["on"]
    kind = KINDS[on]
    for key in (*_NARROWING, *_THRESHOLDS):
        if values.get(key) is not None and key not in (*kind.names, *kind.thresholds):
            takes = ", ".join(f"`{one}`" for one in (*kind.names, *kind.thresholds))
            problems.add((*alert.place, key), f'`{key}` is not for `on = "{on}"`, which takes {takes}')
    for key in kind.needed:
        if values.get(key, "") is None:
            problems.add(alert.place, f"missing key `{key}`: {_NEEDED[on]}")
    if on == "destination_lagging" and values.get("over", "") is None and values.get("after", "") is None:
        problems.add(alert.place, f"missing key `over` or `after`: {_NEEDED[on]}")


_NEEDED = {
    "violation_rate": '`on = "violation_rate"` is more than `over` violations within `within`',
    "destination_lagging": '`on = "destination_lagging"` is more than `over` requests that wait, or one that waits for `after`',
    "dead_letters": '`on = "dead_letters"` is more than `over` new dead letters within `within`',
    "delivery_rate": '`on = "delivery_rate"` is fewer than `below` percent of the events delivered',
    "source_blocked": '`on = "source_blocked"` is more than `over` events that the plan blocks within `within`',
    "source_volume": '`on = "source_volume"` is `change` percent more or fewer events than a day before',
}


def _check_numbers(alert: Table, problems: Problems) -> None:
    on = alert.values["on"]
    if on not in _SHORTEST:
        return
    key, shortest = _SHORTEST[on]
    longest = 86_400 if on == "source_volume" else _LONGEST
    given = alert.values.get(key)
    if given is not None and given > 0 and not shortest <= given <= longest:
        most = "7d" if longest == _LONGEST else "1d"
        problems.add(
            (*alert.place, key), f'`{key}` of `on = "{on}"` must be from {shortest // 60}m to {most}'
        )


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
