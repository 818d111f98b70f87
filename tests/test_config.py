"""relay.toml: every mistake at once, each with its line, and no secret in a message."""

import contextlib
import json
import re
import tomllib
from collections import ChainMap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay import destinations
from relay.alerts.config import AlertConfig, SmtpConfig
from relay.browser.config import BrowserConfig
from relay.config import Config, default, load, template
from relay.config_checks import parse_address
from relay.config_errors import convert
from relay.config_lines import Lines, Place
from relay.delivery.config import DestinationConfig
from relay.destinations.base import Destination
from relay.destinations.bridge.config import IntegrationsConfig
from relay.errors import ConfigError
from relay.gateway.config import ServerConfig, SourceConfig
from relay.log.config import LogConfig
from relay.plans.config import ViolationsConfig
from relay.times import Duration, Size

ROOT = Path(__file__).parent.parent
ROOMS: dict[str, type[msgspec.Struct]] = {
    "server": ServerConfig,
    "log": LogConfig,
    "browser": BrowserConfig,
    "integrations": IntegrationsConfig,
    "violations": ViolationsConfig,
    "smtp": SmtpConfig,
    "alerts": AlertConfig,
    "sources": SourceConfig,
    "destinations": DestinationConfig,
}


class Hook(Destination, frozen=True):
    """A destination to configure: one field of each kind."""

    url: str
    method: Literal["POST", "PUT"] = "POST"
    headers: dict[str, str] = {}  # noqa: RUF012  msgspec copies it
    shared_secret: str | None = None
    pause: Duration | None = None

    max_batch = 100

    def __post_init__(self) -> None:
        if not self.url.startswith("http"):
            raise ValueError("`url` must begin with http")


Problems = Callable[..., list[str]]
Loaded = Callable[..., Config]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current directory, where relay.toml lies; `webhook` and `segment` are known types."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(destinations, "CATALOGUE", {"webhook": Hook, "segment": Hook})
    return tmp_path


@pytest.fixture
def loaded(folder: Path) -> Loaded:
    """Load this text as relay.toml, with these environment variables."""

    def load_text(text: str, **environ: str) -> Config:
        Path("relay.toml").write_text(text, "utf-8")
        return load(Path("relay.toml"), environ)

    return load_text


@pytest.fixture
def problems(loaded: Loaded) -> Problems:
    """List what is wrong with this text, without the file's name."""

    def of_text(text: str, **environ: str) -> list[str]:
        try:
            loaded(text, **environ)
        except ConfigError as error:
            return [problem.removeprefix("relay.toml:") for problem in error.problems]
        return []

    return of_text


def source(*lines: str) -> str:
    return "\n".join(["[[sources]]", 'name = "web"', 'write_key = "KEY"', *lines])


def destination(*lines: str) -> str:
    return "\n".join(
        ["[[destinations]]", 'name = "hook"', 'type = "webhook"', 'settings.url = "http://a"', *lines]
    )


# what is valid


def test_an_empty_file_has_all_defaults_and_no_source(loaded: Loaded) -> None:
    config = loaded("")
    assert config == Config(ServerConfig(), LogConfig(), (), (), {}, Path("relay.toml"))


def test_every_section_becomes_the_struct_of_its_room(loaded: Loaded) -> None:
    config = loaded("""
        [server]
        listen = "[::1]:80"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        [log]
        retention = "7d"
        max_bytes = "50GB"
        durability = "normal"
        [[sources]]
        name = "web"
        write_keys = ["NEW", "OLD"]
        rate_limit = 5
        allowed_origins = ["https://www.example.com"]
        [[destinations]]
        name = "hook"
        type = "webhook"
        sources = ["web"]
        settings = { url = "https://a", sharedSecret = "s", pause = "5m" }
        batch_size = 100
        batch_wait = "0s"
        endpoint = "http://127.0.0.1:9"
    """)
    assert config.server == ServerConfig(listen="[::1]:80", trusted_proxies=("10.0.0.0/8", "::1"))
    assert config.log == LogConfig(Duration("7d"), Size("50GB"), "normal")
    assert config.sources[0].keys == ("NEW", "OLD")
    assert config.sources[0].allowed_origins == ("https://www.example.com",)
    assert config.destinations[0].batch_wait == Duration("0s")
    assert config.settings == {"hook": Hook(url="https://a", shared_secret="s", pause=Duration("5m"))}


def test_without_a_file_there_is_one_source_and_no_destination() -> None:
    config = default()
    assert [(source.name, source.keys) for source in config.sources] == []
    assert config.destinations == ()
    assert config.path is None


def test_the_data_directory_stays_as_it_is_given(loaded: Loaded) -> None:
    assert loaded('[server]\ndata_dir = "some/where"').server.data_dir == "some/where"


def test_certificates_are_seen_from_the_folder_of_the_file(folder: Path) -> None:
    (folder / "etc").mkdir()
    (folder / "etc/relay.toml").write_text('[server]\ntls_cert = "c.pem"\ntls_key = "k.pem"')
    (folder / "etc/c.pem").touch()
    (folder / "etc/k.pem").touch()
    server = load(Path("etc/relay.toml"), {}).server
    assert server.tls_cert == str(folder / "etc/c.pem")
    assert server.tls_key == str(folder / "etc/k.pem")


def test_a_file_from_an_editor_that_writes_a_mark_and_carriage_returns_is_read(folder: Path) -> None:
    Path("relay.toml").write_bytes(b"\xef\xbb\xbf[server]\r\n\r\nlisten = 3\r\n")
    with pytest.raises(ConfigError, match=r"relay.toml:3: Expected `str`"):
        load(Path("relay.toml"), {})


# what cannot be read


def test_a_missing_file_is_explained(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"^other\.toml: cannot be read: No such file or directory$"):
        load(Path("other.toml"), {})


def test_a_folder_and_an_impossible_name_are_explained(folder: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(folder, {})
    with pytest.raises(ConfigError, match="cannot be read: not a file name"):
        load(Path("a\0b"), {})


def test_bytes_that_are_no_text_are_found_with_their_line(folder: Path) -> None:
    Path("relay.toml").write_bytes(b"[server]\n# \xff")
    with pytest.raises(ConfigError, match=r"^relay\.toml:2: not UTF-8 text$"):
        load(Path("relay.toml"), {})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[server\n", 1),
        ("[server]\nlisten = \n", 2),
        ('[log]\n\nretention = "30d', 3),
        ("[log]\n[log]\n", 2),
        ("[server]\na = [\n1,\n2\n\n\n", 4),
        ("\n\nn = " + "9" * 5000, 3),
    ],
)
def test_a_mistake_in_the_syntax_has_its_line(problems: Problems, text: str, line: int) -> None:
    (problem,) = problems(text)
    assert problem.startswith(f"{line}: not valid TOML: ")


def test_a_file_that_is_nested_too_deeply_is_refused(folder: Path) -> None:
    Path("relay.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(ConfigError, match=r"^relay\.toml: nested too deeply$"):
        load(Path("relay.toml"), {})


# keys


def test_the_mistakes_of_all_tables_are_reported_at_once_in_the_order_of_their_lines(
    problems: Problems,
) -> None:
    text = """\
[[sources]]
name = 3
write_kye = "KEY"
rate_limit = "fast"

[server]
listen = "nowhere"
[log]
retention = "long"
"""
    assert problems(text) == [
        "2: Expected `str`, got `int` - at `name`",
        "3: unknown key `write_kye`, did you mean `write_key`?",
        "4: Expected `float`, got `str` - at `rate_limit`",
        "7: `listen` must be host:port, such as 127.0.0.1:8080 or [::1]:8080",
        "9: expected a duration such as 200ms, 10s, 5m, 4h or 30d - at `retention`",
    ]


def test_a_misspelt_key_is_not_missing_as_well(problems: Problems) -> None:
    assert problems('[[destinations]]\nnmae = "a"\ntype = "webhook"\nsettings.URL = "http://a"') == [
        "2: unknown key `nmae`, did you mean `name`?",
        "4: unknown setting `URL`, did you mean `url`?",
    ]


def test_a_wrong_type_is_told_as_in_the_documentation(problems: Problems) -> None:
    assert problems(destination('rate_limit = "100"')) == [
        "5: Expected `float | null`, got `str` - at `rate_limit`"
    ]


def test_a_wrong_item_is_told_with_its_place(problems: Problems) -> None:
    assert problems(source("allowed_origins = [\n'https://a',\n3]")) == [
        "4: Expected `str`, got `int` - at `allowed_origins[1]`"
    ]


def test_a_number_too_large_is_told(problems: Problems) -> None:
    assert problems(source("rate_limit = 1" + "0" * 400)) == ["4: Number out of range - at `rate_limit`"]


def test_an_option_that_is_none_is_told_with_those_there_are(problems: Problems) -> None:
    assert problems('[log]\ndurability = "fast"') == ["2: Expected `full` or `normal` - at `durability`"]
    assert problems(destination('order = "time"')) == ["5: Expected `none` or `user` - at `order`"]
    assert problems("[log]\ndurability = 3") == ["2: Expected `str`, got `int` - at `durability`"]


def test_missing_keys_are_told_at_the_head_of_their_table(problems: Problems) -> None:
    assert problems("\n[[destinations]]\nconcurrency = 1") == [
        "2: missing key `name`",
        "2: missing key `type`",
    ]
    assert problems('[[sources]]\nwrite_key = "K"') == ["1: missing key `name`"]


def test_an_unknown_table_is_told_with_the_nearest(problems: Problems) -> None:
    assert problems("[sevrer]\n") == ["1: unknown key `sevrer`, did you mean `server`?"]
    assert problems("\n[[warehouses]]\n") == [
        "2: unknown key `warehouses`; known: server, log, browser, integrations, violations, smtp, alerts, sources, destinations"
    ]


def test_an_unknown_key_in_capitals_is_recognised(problems: Problems) -> None:
    assert problems("[server]\nLISTEN = 1") == ["2: unknown key `LISTEN`, did you mean `listen`?"]


def test_a_filter_that_cannot_be_read_is_told_with_its_place(problems: Problems) -> None:
    (told,) = problems(destination("filter = 'event = '"))
    assert "`filter` cannot be read" in told
    drop = 'actions = [{ type = "DROP" }]'
    (told,) = problems(destination("", "[[destinations.filters]]", "if = 'event = '", drop))
    assert "`if` cannot be read" in told


@pytest.mark.parametrize("category", ["", "0002", "C" * 35])
def test_a_category_of_consent_has_the_form_of_an_id(problems: Problems, category: str) -> None:
    told = "`consent` must hold ids of categories: 1 to 34 characters, the first no digit"
    assert problems(destination("consent = [", '"C0002",', f'"{category}"]')) == [f"7: {told}"]
    assert problems(destination(f'consent = ["{"C" * 34}"]')) == []


def test_the_mistakes_of_transformations_are_told_with_their_lines(problems: Problems) -> None:
    said = """\
name = "No addresses"
if = 'event = '
property_renames = [
  { old_name = "properties.a", new_name = "properties.b" },
  { old_name = "userId", new_name = "properties.c" },
]
[{0}.transformations.hash_properties]
algorithm = "rot13"
paths = [
  "traits.email",
  "context.consent.x",
]
[[{0}.transformations]]
name = "Nothing"
"""
    told = [
        (3, "`if` cannot be read: the end stands where a value should (character 9)"),
        (6, "`old_name` must begin with `properties.`, `traits.` or `context.`"),
        (9, "`algorithm` must be one of `sha256`, `sha512`, `sha384`, `sha1`, `md5`"),
        (12, "`paths` cannot be in `context.consent`: consent stays as it was given"),
    ]
    for table, name in ((source(), "sources"), (destination(), "destinations")):
        above = table.count("\n") + 1
        head = f"{table}\n[[{name}.transformations]]\n"
        found = problems(head + said.replace("{0}", name))
        assert found[:-1] == [f"{above + line}: {sentence}" for line, sentence in told]
        assert found[-1].startswith(f"{above + 14}: a transformation needs one of `drop`, ")


def test_the_key_of_a_hash_may_come_from_the_environment_and_is_not_told(
    loaded: Loaded, problems: Problems
) -> None:
    text = """
[[sources.transformations]]
hash_properties = { algorithm = "sha256", key = "${KEY}", paths = ["%s"] }
"""
    config = loaded(source() + text % "traits.email", KEY="s3cr3t")
    said = config.sources[0].transformations[0].hash_properties
    assert said is not None
    assert said.key == "s3cr3t"
    (told,) = problems(source() + text % "email", KEY="s3cr3t")
    assert "s3cr3t" not in told


def test_brackets_of_the_wrong_kind_are_explained(problems: Problems) -> None:
    assert problems('[sources]\nname = "web"') == ["1: `sources` is a list of tables: write `[[sources]]`"]
    assert problems("destinations = [1]") == [
        "1: `destinations` is a list of tables: write `[[destinations]]`"
    ]
    assert problems("\n[[server]]") == ["2: `server` is one table: write `[server]`"]
    assert problems("log = 3") == ["1: `log` is one table: write `[log]`"]


# the environment


def test_a_variable_is_taken_from_the_environment_wherever_it_stands_in_a_text(loaded: Loaded) -> None:
    config = loaded(
        source() + "\n" + destination('settings.headers = { a = "Bearer ${A}${B}" }', 'sources = ["${S}"]'),
        A="1",
        B="2",
        S="web",
    )
    assert config.settings["hook"] == Hook(url="http://a", headers={"a": "Bearer 12"})
    assert config.destinations[0].settings["headers"] == {"a": "Bearer 12"}
    assert config.destinations[0].sources == ("web",)


def test_what_the_environment_says_is_not_read_again(loaded: Loaded) -> None:
    config = loaded('[server]\nadmin_token = "${A}"', A="${B} $ ${")
    assert config.server.admin_token == "${B} $ ${"


def test_a_missing_variable_is_named_with_its_line(problems: Problems) -> None:
    assert problems('[server]\nadmin_token = "${A} ${B} ${C}"', B="") == [
        "2: the environment variable `A` is not set",
        "2: the environment variable `C` is not set",
    ]
    assert problems(source("allowed_origins = [", '"a",', '"${A}"]')) == [
        "6: the environment variable `A` is not set"
    ]


def test_a_missing_variable_makes_no_second_mistake(problems: Problems) -> None:
    text = """\
[server]
listen = "${NO}"
[[sources]]
name = "a"
write_key = "${NO}"
rate_limit = "${NO}"
[[sources]]
name = "b"
write_key = "${NO}"
[[destinations]]
name = "c"
type = "${NO}"
sources = ["a", "${NO}"]
[[destinations]]
name = "d"
type = "webhook"
settings.url = "${NO}"
"""
    lines = [2, 5, 6, 9, 12, 13, 17]
    assert problems(text) == [f"{line}: the environment variable `NO` is not set" for line in lines]


def test_a_missing_variable_hides_no_misspelt_key(problems: Problems) -> None:
    text = "nmae = '${NO}'\n" + destination('moed = "${NO}"', 'rate_limits = "${NO}"')
    unset = "the environment variable `NO` is not set"
    assert problems(text) == [
        f"1: {unset}",
        "1: unknown key `nmae`; known: server, log, browser, integrations, violations, smtp, alerts, sources, destinations",
        f"6: {unset}",
        "6: unknown key `moed`, did you mean `mode`?",
        f"7: {unset}",
        "7: unknown key `rate_limits`, did you mean `rate_limit`?",
    ]


def test_a_variable_without_a_proper_name_is_refused(problems: Problems) -> None:
    told = ["2: `${` must be followed by the name of an environment variable and `}`"]
    for text in ("${", "${A", "${}", "${A-B}", "${ A }", "${1}"):
        assert problems(f'[server]\nadmin_token = "{text}"', A="a") == told


def test_an_empty_token_from_the_environment_is_refused(problems: Problems) -> None:
    text = '[server]\nadmin_token = "${A}"\nread_token = "${A}"'
    assert problems(text, A="") == ["2: `admin_token` must not be empty", "3: `read_token` must not be empty"]


# values


@pytest.mark.parametrize(
    "address", ["", "8080", ":8080", "a:b", "a:70000", "::1:80", "[x]:80", "a b:80", "http://a:80", "a:80\n"]
)
def test_an_address_is_host_and_port(problems: Problems, address: str) -> None:
    for key in ("listen", "admin"):
        told = f"2: `{key}` must be host:port, such as 127.0.0.1:8080 or [::1]:8080"
        assert problems(f"[server]\n{key} = {json.dumps(address)}") == [told]


def test_addresses_are_taken_apart() -> None:
    assert parse_address("0.0.0.0:0") == ("0.0.0.0", 0)
    assert parse_address("[::1]:8080") == ("::1", 8080)
    assert parse_address("relay.example.com:443") == ("relay.example.com", 443)


def test_the_two_listeners_are_at_different_addresses(problems: Problems) -> None:
    told = "`admin` must differ from `listen`: who may send may not look"
    assert problems('[server]\nlisten = "LOCALHOST:1"\n\nadmin = "localhost:01"') == [f"4: {told}"]
    assert problems('[server]\nlisten = "127.0.0.1:8081"') == [f"1: {told}"]
    assert problems('[server]\nlisten = "127.0.0.1:0"\nadmin = "127.0.0.1:0"') == []


def test_who_may_look_has_a_token_of_their_own(problems: Problems) -> None:
    told = ["3: `read_token` must differ from `admin_token`"]
    assert problems('[server]\nadmin_token = "a"\nread_token = "a"') == told


def test_a_certificate_comes_with_its_key_and_both_exist(problems: Problems, folder: Path) -> None:
    missing = "there is no such file (seen from this file's folder)"
    assert problems('[server]\ntls_cert = "c"\ntls_key = "k"') == [
        f"2: `tls_cert`: {missing}",
        f"3: `tls_key`: {missing}",
    ]
    (folder / "c").touch()
    assert problems('[server]\ntls_cert = "c"') == ["2: `tls_cert` needs `tls_key`"]
    assert problems('[server]\ntls_key = "c"') == ["2: `tls_key` needs `tls_cert`"]
    assert problems('[server]\ntls_cert = "c"\ntls_key = 3') == [
        "3: Expected `str | null`, got `int` - at `tls_key`"
    ]
    assert problems('[server]\ntls_cert = "c\\u0000"\ntls_key = "c"') == [f"2: `tls_cert`: {missing}"]


@pytest.mark.parametrize("proxy", ["10.0.0.0/33", "proxy", "10.0.0.1/8", ""])
def test_a_trusted_proxy_is_an_address_or_a_network(problems: Problems, proxy: str) -> None:
    assert problems(f'[server]\ntrusted_proxies = [\n"127.0.0.1",\n"::1/128", "{proxy}"]') == [
        "4: `trusted_proxies` must hold addresses and networks, such as 10.0.0.1 or 10.0.0.0/8"
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('data_dir = " "', "`data_dir` must not be empty"),
        ('encryption_key = "fifteen letters"', "`encryption_key` must have 16 characters at least"),
        ("data_dir = 3", "Expected `str`, got `int` - at `data_dir`"),
    ],
)
def test_the_server_needs_a_data_directory(problems: Problems, line: str, told: str) -> None:
    assert problems(f"[server]\n{line}") == [f"2: {told}"]


@pytest.mark.parametrize("text", ["30", "-1d", "1w", "d", "", "1e3s"])
def test_a_duration_is_a_number_with_a_unit(problems: Problems, text: str) -> None:
    told = "expected a duration such as 200ms, 10s, 5m, 4h or 30d"
    assert problems(f'[log]\nretention = "{text}"') == [f"2: {told} - at `retention`"]
    for key in ("batch_wait", "timeout", "retry_for"):
        assert problems(destination(f'{key} = "{text}"')) == [f"5: {told} - at `{key}`"]


def test_a_duration_without_quotes_is_refused(problems: Problems) -> None:
    told = "expected a duration such as 200ms, 10s, 5m, 4h or 30d"
    assert problems("[log]\nretention = 30") == [f"2: {told} - at `retention`"]


def test_what_is_kept_for_no_time_or_in_no_space_is_refused(problems: Problems) -> None:
    assert problems('[log]\nretention = "0d"\nmax_bytes = "0GB"') == [
        "2: `retention` must be a number above 0",
        "3: `max_bytes` must be a number above 0",
    ]
    assert problems(f'[log]\nmax_bytes = "{"9" * 400}GB"') == [
        "2: expected a size such as 500MB or 50GB - at `max_bytes`"
    ]


@pytest.mark.parametrize("name", ["a b", "a/b", "ä", "a\\n"])
def test_names_are_made_of_letters_digits_and_a_few_signs(problems: Problems, name: str) -> None:
    told = "2: `name` must be made of letters, digits, `_`, `.` and `-`"
    assert problems(f'[[sources]]\nname = "{name}"\nwrite_key = "k"') == [told]
    assert problems(f'[[destinations]]\nname = "{name}"\ntype = "webhook"\nsettings.url = "http:"') == [told]


def test_an_empty_name_is_refused(problems: Problems) -> None:
    assert problems('[[sources]]\nname = ""\nwrite_key = "k"') == ["2: `name` must not be empty"]


def test_names_are_unique_among_sources_and_among_destinations(problems: Problems) -> None:
    one, two = source(), source().replace("KEY", "OTHER")
    assert problems(f"{one}\n{two}") == ["5: this name is already taken at line 2"]
    assert problems(f"{destination()}\n{destination()}") == ["6: this name is already taken at line 2"]
    assert problems(f"{source()}\n{destination()}".replace("hook", "web", 1)) == []


def test_a_write_key_belongs_to_one_source_and_is_given_once(problems: Problems) -> None:
    other = source('write_keys = ["B", "KEY"]').replace("web", "ios").replace('"KEY"\n', '"C"\n')
    assert problems(f"{source()}\n{other}") == ["7: this write key is already used at line 3"]
    assert problems(source('write_keys = ["B", "B"]')) == ["4: this write key is already used at line 4"]


def test_a_source_has_at_least_one_write_key_and_none_is_empty(problems: Problems) -> None:
    assert problems('[[sources]]\nname = "a"') == ["1: missing key `write_key`"]
    assert problems('[[sources]]\nname = "a"\nwrite_keys = []') == ["1: missing key `write_key`"]
    assert problems('[[sources]]\nname = "a"\nwrite_key = ""') == ["3: `write_key` must not be empty"]
    assert problems(source('write_keys = ["B", " "]')) == ["4: `write_keys` must not be empty"]


@pytest.mark.parametrize("number", ["0", "-1", "nan", "inf", "0.0"])
def test_a_rate_is_a_number_above_zero(problems: Problems, number: str) -> None:
    told = ["`rate_limit` must be a number above 0"]
    assert problems(source(f"rate_limit = {number}")) == [f"4: {told[0]}"]
    assert problems(destination(f"rate_limit = {number}")) == [f"5: {told[0]}"]


@pytest.mark.parametrize("number", ["0", "0.5", "-3.0", "nan"])
def test_a_bucket_holds_at_least_one_request(problems: Problems, number: str) -> None:
    assert problems(source(f"burst = {number}")) == ["4: `burst` must be at least 1"]


def test_a_destination_sends_at_least_one_request_of_one_event(problems: Problems) -> None:
    assert problems(destination("concurrency = 0", "batch_size = 0", 'timeout = "0s"')) == [
        "5: `concurrency` must be at least 1",
        "6: `batch_size` must be at least 1",
        "7: `timeout` must be a number above 0",
    ]


def test_a_batch_is_no_larger_than_the_type_allows(problems: Problems) -> None:
    assert problems(destination("batch_size = 100")) == []
    assert problems(destination("batch_size = 101")) == ["5: `batch_size` of `webhook` is 100 at most"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://a",
        "http://",
        "http://a/",
        "http://a/b",
        "http://a?b",
        "http://u:p@a",
        "http://a:x",
        "http://[::1",
        "http://a b",
        "http://a:99999",
        "http://a#",
        "http://:80",
    ],
)
def test_an_endpoint_is_scheme_host_and_port(problems: Problems, url: str) -> None:
    told = "5: `endpoint` must be scheme, host and port only, such as https://eu.example.com"
    assert problems(destination(f'endpoint = "{url}"')) == [told]


def test_an_endpoint_may_be_an_ipv6_address(problems: Problems) -> None:
    assert problems(destination('endpoint = "https://[::1]:8443"')) == []


# destinations


def test_an_unknown_type_is_told_with_the_nearest(problems: Problems) -> None:
    text = '[[destinations]]\nname = "a"\ntype = "{}"'
    assert problems(text.format("webhok")) == [
        "3: unknown destination type `webhok`, did you mean `webhook`?"
    ]
    assert problems(text.format("amplitude")) == [
        "3: unknown destination type `amplitude`; known: webhook, segment (Segment's own come with `relay destinations install`)"
    ]


def test_the_sources_of_a_destination_exist(problems: Problems) -> None:
    text = source() + "\n" + destination("sources = [", '"web",', '"wbe"]')
    assert problems(text) == ["10: unknown source `wbe`, did you mean `web`?"]
    assert problems(destination('sources = ["default"]')) == []
    assert problems(destination('sources = ["x"]')) == ["5: unknown source `x`; known: default"]


def test_settings_are_checked_by_their_type_at_their_own_line(problems: Problems) -> None:
    text = """\
[[destinations]]
name = "a"
type = "webhook"
[destinations.settings]
url = 3
shared_secret = "s"
method = "PUSH"
pause = "soon"
"""
    assert problems(text) == [
        "5: Expected `str`, got `int` - at `url`",
        "6: unknown setting `shared_secret`, did you mean `sharedSecret`?",
        "7: Expected `POST` or `PUT` - at `method`",
        "8: expected a duration such as 200ms, 10s, 5m, 4h or 30d - at `pause`",
    ]


def test_missing_settings_are_told_at_the_settings_or_at_the_table(problems: Problems) -> None:
    text = '[[destinations]]\nname = "a"\ntype = "webhook"'
    assert problems(text) == ["1: missing setting `url`"]
    assert problems(text + "\nsettings = {}") == ["4: missing setting `url`"]


def test_what_settings_say_together_is_told_at_the_settings(problems: Problems) -> None:
    assert problems(destination().replace("http://a", "a")) == ["4: `url` must begin with http"]


def test_settings_of_a_disabled_destination_are_checked_too(problems: Problems) -> None:
    assert problems(destination("enabled = false", "settings.x = 1")) != []


def test_no_secret_gets_into_a_message(problems: Problems) -> None:
    secret = "s3cr3t"
    text = """\
[server]
admin_token = ["${S}"]
read_token = "${S}"
listen = "${S}"
data_dir = ["${S}"]
tls_cert = "${S}"
trusted_proxies = ["${S}"]
[log]
retention = "${S}"
max_bytes = "${S}"
durability = "${S}"
[[sources]]
name = "a"
write_key = "${S}"
write_keys = ["${S}"]
rate_limit = "${S}"
[[destinations]]
name = "b"
type = "webhook"
endpoint = "https://${S}@a"
settings = { url = "${S}", method = "${S}", headers = "${S}", pause = "${S}" }
order = "${S}"
[[destinations]]
name = "c"
type = "webhook"
settings = { url = "${S}" }
"""
    found = problems(text, S=secret)
    assert len(found) > 15
    assert secret not in "\n".join(found)


# the example


def _uncommented(text: str) -> str:
    return re.sub(r"^# (?=\[|[a-z_]+ = )", "", text, flags=re.MULTILINE)


def _shown() -> dict[str, Any]:
    """Return everything the example shows, by the name of its table; of several the keys of all, the first counts."""
    data = tomllib.loads(_uncommented((ROOT / "relay.toml").read_text("utf-8")))
    return {key: dict(ChainMap(*table)) if isinstance(table, list) else table for key, table in data.items()}


def test_the_example_in_the_package_is_the_one_in_the_repository() -> None:
    assert (ROOT / "relay/template.toml").read_bytes() == (ROOT / "relay.toml").read_bytes()


def test_the_committed_file_runs_as_it_stands() -> None:
    path = ROOT / "relay.toml"
    config = load(path, {})
    assert config == Config(ServerConfig(), LogConfig(), (), (), {}, path, path.read_text("utf-8"))


def test_the_example_shows_every_key_of_every_room() -> None:
    shown = {table: list(keys) for table, keys in _shown().items()}
    assert shown.keys() == ROOMS.keys()
    for table, room in ROOMS.items():
        assert sorted(shown[table]) == sorted(room.__struct_encode_fields__)


def test_the_example_explains_every_key() -> None:
    lines = _uncommented((ROOT / "relay.toml").read_text("utf-8")).splitlines()
    keys = [line for line in lines if re.match(r"[a-z_]+ = ", line)]
    assert [line for line in keys if "  # " not in line] == []


@pytest.mark.parametrize("table", list(ROOMS))
def test_what_the_example_shows_is_the_default_where_there_is_one(table: str) -> None:
    for field in msgspec.structs.fields(ROOMS[table]):
        if field.default not in (msgspec.NODEFAULT, None, ()):
            shown = _shown()[table][field.encode_name]
            assert convert(shown, field.type) == field.default, field.name


def test_the_example_with_everything_in_it_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "relay.toml"
    text = _uncommented((ROOT / "relay.toml").read_text("utf-8"))
    assert 'consent_manager = "onetrust"' in text
    path.write_text(text.replace("consent_manager =", "# with [sources.segment] not:"), "utf-8")
    (tmp_path / "cert.pem").touch()
    (tmp_path / "key.pem").touch()
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/web.json").write_text('{"rules": []}')
    environ = {"RELAY_ADMIN_TOKEN": "a", "RELAY_READ_TOKEN": "b", "RELAY_ENCRYPTION_KEY": "sixteen or longer"}
    config = load(path, environ)
    assert config.sources[0].keys == ("WRITE_KEY", "NEW_KEY", "OLD_KEY")
    assert config.settings.keys() == {"hook"}


def test_a_new_file_differs_from_the_example_in_its_keys_only(loaded: Loaded) -> None:
    text = template('TOK"EN', "KEY")
    config = loaded(text)
    assert config.server == ServerConfig(admin_token='TOK"EN')
    assert config.sources == (SourceConfig(name="web", write_key="KEY"),)
    assert config.destinations == ()
    changed = set(text.splitlines()) - set((ROOT / "relay.toml").read_text("utf-8").splitlines())
    assert len(changed) == 4


# lines


def test_a_mistake_has_its_line_however_the_key_is_written(problems: Problems) -> None:
    text = '''\
server.listen = 1 # server.admin = 2
sources = [
  # { name = "no" }
  { name = "a", write_key = """
[[sources]]
name = 3
""", rate_limit = 0 },
  { "name" = "b", 'write_key' = '"', burst = 0 },
]
[[destinations]]
name = "c"
"type" = "webhook"
settings."url" = 2
batch_size = 0
[ destinations . settings.headers ]
"a=b" = 3
[log]
max_bytes = 5
'''
    assert problems(text) == [
        "1: Expected `str`, got `int` - at `listen`",
        "7: `rate_limit` must be a number above 0",
        "8: `burst` must be at least 1",
        "13: Expected `str`, got `int` - at `url`",
        "14: `batch_size` must be at least 1",
        "15: Expected `str`, got `int` - at `headers[...]`",
        "18: expected a size such as 500MB or 50GB - at `max_bytes`",
    ]


def test_a_place_that_is_not_written_has_the_line_of_what_would_hold_it() -> None:
    lines = Lines("\n[[a]]\nb = 1\n[[a]]\nb = [1,\n2]")
    assert lines["a", 0, "c", "d"] == 2
    assert lines["a", 1, "b", 1] == 6
    assert lines["z",] == 1
    assert Lines("[a.b]\n[a]")["a", "c"] == 2


_word = st.sampled_from(["a", "b", "c-d", '"e.f"', "'g #'", '"\\""', '"[h]"'])
_text = st.sampled_from(
    ['""', "'#'", '"]\\\\"', '"\\"}"', '"""\n[a]\n\\""""""', "'''\nb = 1\n'''", '"""x""y"""']
)
_number = st.sampled_from(["1", "-2.5", "true", "nan", "1979-05-27 07:32:00", "0x1F", "07:32:00.5"])


def _array(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    gaps = st.sampled_from(["", " ", "\n", " # ] }\n"])
    return st.builds(
        lambda values, gap: f"[{gap}" + "".join(f"{value},{gap}" for value in values) + "]",
        st.lists(items, max_size=3),
        gaps,
    )


def _inline(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.dictionaries(_word, items, max_size=3).map(
        lambda pairs: "{ " + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + " }"
    )


_values = st.recursive(_text | _number, lambda items: _array(items) | _inline(items), max_leaves=6)
_keys = st.lists(_word, min_size=1, max_size=2).map(" . ".join)
_statement = st.one_of(
    st.builds("{} = {}".format, _keys, _values),
    st.builds("[{}]".format, _keys),
    st.builds("[[ {} ]] # a = 1".format, _keys),
    st.just("# [a]"),
    st.just(""),
)


def _places(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    yield place, value
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield from _places(item, (*place, key))


@given(st.lists(_statement, max_size=8).map("\n".join))
def test_exactly_the_places_of_the_file_have_a_line(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(Lines(text)._of) == {place for place, _ in _places(data)}


@given(st.lists(_statement, max_size=8).map("\n".join))
def test_a_value_is_not_there_before_its_line_and_is_there_after_it(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = Lines(text)
    for place, value in _places(data):
        if not isinstance(value, dict | list):
            assert place not in _places_until(text, lines[place] - 1)
            assert place in (_places_until(text, lines[place]) or [place])


def _places_until(text: str, line: int) -> list[Place]:
    """Return the places in the first lines of the text, none when they are cut inside a value."""
    try:
        return [place for place, _ in _places(tomllib.loads("\n".join(text.split("\n")[:line])))]
    except tomllib.TOMLDecodeError:
        return []


@given(st.text() | st.lists(_statement, max_size=6).map("\n".join))
def test_no_text_at_all_raises_anything_but_a_config_error(text: str) -> None:
    _raises_at_most_a_config_error(text)


_garbage = st.sampled_from(
    [
        '"${X}"',
        '"${"',
        '""',
        '"x"',
        "0",
        "-1",
        "nan",
        "{}",
        "[]",
        "[1]",
        '["a"]',
        "1979-05-27",
        '"a:1"',
        '"1d"',
    ]
) | st.integers().map(str)


@given(st.data())
def test_no_value_of_a_known_key_raises_anything_but_a_config_error(data: st.DataObject) -> None:
    lines = []
    for table in data.draw(st.lists(st.sampled_from(list(ROOMS)), unique=True)):
        keys = data.draw(st.dictionaries(st.sampled_from(ROOMS[table].__struct_fields__), _garbage))
        lines.append(f"[{table}]" if table in {"server", "log"} else f"[[{table}]]")
        lines += [f"{key} = {value}" for key, value in keys.items()]
    _raises_at_most_a_config_error("\n".join(lines))


def _raises_at_most_a_config_error(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(ConfigError):
        patch.setattr(destinations, "CATALOGUE", {"webhook": Hook, "x": Hook})
        patch.setattr(Path, "read_bytes", lambda _: text.encode("utf-8", "surrogatepass"))
        load(Path("relay.toml"), {"X": "x"})
