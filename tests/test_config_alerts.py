"""`[[alerts]]` and `[smtp]`: what is read, and the sentence for each mistake."""

from pathlib import Path

import pytest

from relay.alerts.config import KINDS
from relay.config import Config, load
from relay.errors import ConfigError
from relay.times import Duration

SOURCES = '[[sources]]\nname = "web"\nwrite_key = "k"\n'
NEW = '[[alerts]]\nname = "new"\non = "new_violation"\n'
RATE = '[[alerts]]\nname = "rate"\non = "violation_rate"\n'
SLACK = 'slack = "https://hooks.slack.com/services/T/B/S3CRET"\n'
HOOK = '[[destinations]]\nname = "hook"\ntype = "webhook"\nsettings = { url = "https://example.com/" }\n'
SMTP = '[smtp]\nhost = "mail.example.com"\nfrom = "relay <relay@example.com>"\n'


def on(kind: str) -> str:
    return f'[[alerts]]\nname = "one"\non = "{kind}"\n{SLACK}'


def read(folder: Path, text: str) -> Config:
    path = folder / "relay.toml"
    path.write_text(text, "utf-8")
    return load(path, {})


def mistakes(folder: Path, text: str) -> list[str]:
    """Every mistake, as `line: sentence`."""
    with pytest.raises(ConfigError) as raised:
        read(folder, text)
    assert "S3CRET" not in str(raised.value)
    return [problem.removeprefix(f"{folder}/relay.toml:") for problem in raised.value.problems]


def test_everything_is_read(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        SOURCES
        + SMTP
        + 'port = 465\nusername = "ann"\npassword = "p"\nsecurity = "tls"\n'
        + RATE
        + 'sources = ["web"]\nevents = ["Order Completed"]\nover = 100\nwithin = "10m"\nquiet = "2h"\n'
        + 'webhook = "https://example.com/hook"\nsecret = "s"\n'
        + 'email = ["ann@example.com", "Bob <bob@example.com>"]\n'
        + SLACK,
    )
    (alert,) = config.alerts
    assert (alert.sources, alert.events, alert.over) == (("web",), ("Order Completed",), 100)
    assert (alert.within, alert.quiet) == (Duration("10m"), Duration("2h"))
    assert alert.channels == ("webhook", "slack", "email")
    assert config.smtp is not None
    assert (config.smtp.sender, config.smtp.port) == ("relay <relay@example.com>", 465)
    assert config.notes == ()


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    config = read(tmp_path, NEW + SLACK)
    (alert,) = config.alerts
    assert (alert.sources, alert.events, alert.quiet, alert.channels) == (
        None,
        None,
        Duration("1h"),
        ("slack",),
    )
    assert config.smtp is None
    assert read(tmp_path, "").alerts == ()


def test_what_lasts_and_what_is_counted_has_its_own_time(tmp_path: Path) -> None:
    kinds = ("destination_failing", "destination_paused", "source_silent")
    text = "".join(on(kind).replace("one", kind) for kind in kinds)
    text += on("delivery_rate").replace("one", "rate") + "below = 95\n"
    text += on("source_volume").replace("one", "volume") + 'change = 50.5\nwithin = "10m"\nat_least = 1\n'
    *lasting, rate, volume = read(tmp_path, text).alerts
    assert [one.after_ms for one in lasting] == [300_000, 3_600_000, 3_600_000]
    assert (rate.below, rate.within_ms, rate.after_ms) == (95, 86_400_000, None)
    assert (volume.change, volume.within_ms, volume.at_least) == (50.5, 600_000, 1)
    text = HOOK + on("destination_lagging") + 'after = "10m"\ndestinations = ["hook"]\n'
    (lagging,) = read(tmp_path, text).alerts
    assert (lagging.after_ms, lagging.over, lagging.destinations) == (600_000, None, ("hook",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NEW, ["1: an alert needs a channel: `webhook`, `slack` or `email`"]),
        (NEW + "email = []\n", ["1: an alert needs a channel: `webhook`, `slack` or `email`"]),
        (NEW + SLACK + NEW + SLACK, ["6: this name is already taken at line 2"]),
        (
            '[[alerts]]\nname = "new"\n' + SLACK,
            ["1: missing key `on`"],
        ),
        (
            NEW.replace("new_violation", "S3CRET") + SLACK,
            [f"3: Expected {' or '.join(f'`{kind}`' for kind in KINDS)} - at `on`"],
        ),
        (NEW + SLACK + "quite = 1\n", ["5: unknown key `quite`, did you mean `quiet`?"]),
        (NEW + SLACK + 'sources = ["wbe"]\n', ["5: unknown source `wbe`; known: default"]),
        (
            SOURCES + NEW + SLACK + 'sources = ["wbe"]\n',
            ["8: unknown source `wbe`, did you mean `web`?"],
        ),
        (
            NEW + SLACK + "events = []\n",
            ["5: `events` is empty: nothing would ever be told; left out, it means all"],
        ),
        (
            NEW + SLACK + 'over = 1\nwithin = "1m"\n',
            [
                '5: `over` is not for `on = "new_violation"`, which takes `sources`, `events`',
                '6: `within` is not for `on = "new_violation"`, which takes `sources`, `events`',
            ],
        ),
        (
            RATE + SLACK,
            [
                '1: missing key `over`: `on = "violation_rate"` is more than `over` violations within `within`',
                '1: missing key `within`: `on = "violation_rate"` is more than `over` violations within `within`',
            ],
        ),
        (
            RATE + SLACK + 'over = -1\nwithin = "0s"\n',
            ["5: `over` must not be below 0", "6: `within` must be a number above 0"],
        ),
        (
            NEW + 'slack = "hooks.slack.com/S3CRET"\nwebhook = "https://S3CRET@/"\n',
            ["4: `slack` must be an http or https URL", "5: `webhook` must be an http or https URL"],
        ),
        (
            NEW + SLACK + 'destinations = ["hook"]\n',
            [
                '5: `destinations` is not for `on = "new_violation"`, which takes `sources`, `events`',
                "5: unknown destination `hook`",
            ],
        ),
        (
            HOOK + on("destination_failing") + 'destinations = ["hoook"]\n',
            ["9: unknown destination `hoook`, did you mean `hook`?"],
        ),
        (
            HOOK + on("destination_paused") + "destinations = []\n",
            ["9: `destinations` is empty: nothing would ever be told; left out, it means all"],
        ),
        (
            on("destination_failing") + 'sources = ["default"]\nover = 1\n',
            [
                '5: `sources` is not for `on = "destination_failing"`, which takes `destinations`, `after`',
                '6: `over` is not for `on = "destination_failing"`, which takes `destinations`, `after`',
            ],
        ),
        (
            on("destination_lagging"),
            [
                '1: missing key `over` or `after`: `on = "destination_lagging"` is more than `over` requests that wait, or one that waits for `after`'
            ],
        ),
        (
            on("dead_letters") + 'within = "30s"\n',
            [
                '1: missing key `over`: `on = "dead_letters"` is more than `over` new dead letters within `within`',
                '5: `within` of `on = "dead_letters"` must be from 1m to 7d',
            ],
        ),
        (
            on("delivery_rate") + "below = 101\nat_least = 0\n",
            ["5: `below` must be a percentage: above 0, 100 at most", "6: `at_least` must be at least 1"],
        ),
        (
            on("delivery_rate") + 'within = "8d"\n',
            [
                '1: missing key `below`: `on = "delivery_rate"` is fewer than `below` percent of the events delivered',
                '5: `within` of `on = "delivery_rate"` must be from 1m to 7d',
            ],
        ),
        (
            on("source_blocked") + 'within = "8d"\nevents = ["S3CRET"]\n',
            [
                '1: missing key `over`: `on = "source_blocked"` is more than `over` events that the plan blocks within `within`',
                '5: `within` of `on = "source_blocked"` must be from 1m to 7d',
                '6: `events` is not for `on = "source_blocked"`, which takes `sources`, `over`, `within`',
            ],
        ),
        (
            on("source_silent") + 'after = "1m"\n',
            ['5: `after` of `on = "source_silent"` must be from 5m to 7d'],
        ),
        (
            on("source_volume") + 'change = 0\nwithin = "2d"\nevents = ["S3CRET"]\n',
            [
                "5: `change` must be a number above 0",
                '6: `within` of `on = "source_volume"` must be from 10m to 1d',
                '7: `events` is not for `on = "source_volume"`, which takes `sources`, `change`, `within`, `at_least`',
            ],
        ),
        (
            on("source_volume"),
            [
                '1: missing key `change`: `on = "source_volume"` is `change` percent more or fewer events than a day before'
            ],
        ),
        (NEW + SLACK + 'secret = "S3CRET"\n', ["5: `secret` needs `webhook`: it signs what goes there"]),
        (
            NEW + 'email = ["ann@example.com"]\n',
            ["4: `email` needs a table `[smtp]`: the server that takes the mail"],
        ),
        (
            NEW + 'email = ["ann"]\n' + SMTP,
            ["4: `email` must be like ann@example.com or Ann <ann@example.com>"],
        ),
        ("[smtp]\n", ["1: missing key `from`", "1: missing key `host`"]),
        (SMTP + "port = 0\n", ["4: `port` must be a port: 1 to 65535"]),
        (SMTP + 'username = "ann"\n', ["4: `username` needs `password`"]),
        (SMTP + 'password = "S3CRET"\n', ["4: `password` needs `username`"]),
        (
            SMTP + 'security = "ssl"\n',
            ["4: Expected `starttls` or `tls` or `none` - at `security`"],
        ),
        (
            SMTP.replace("relay@example.com>", "relay@example.com>\\nBcc: x"),
            ["3: `from` must be like ann@example.com or Ann <ann@example.com>"],
        ),
        ('smtp = "S3CRET"\n', ["1: `smtp` is one table: write `[smtp]`"]),
        ('alerts = "S3CRET"\n', ["1: `alerts` is a list of tables: write `[[alerts]]`"]),
    ],
)
def test_every_mistake_is_named(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert sorted(mistakes(tmp_path, text)) == expected


def test_a_password_in_the_clear_is_a_note(tmp_path: Path) -> None:
    clear = SMTP + 'username = "ann"\npassword = "S3CRET"\nsecurity = "none"\n'
    (note,) = read(tmp_path, clear).notes
    assert note.endswith('the password of `[smtp]` is sent as it is: `security = "none"`')
    assert read(tmp_path, clear.replace("mail.example.com", "localhost")).notes == ()
