"""`[browser]` and `bots` in relay.toml."""

import json
from pathlib import Path

import orjson
import pytest

from relay.browser.config import BrowserConfig
from relay.browser.settings import inline_settings, segment_settings
from relay.config import Config, load
from relay.config_browser import facts_of
from relay.errors import ConfigError
from relay.event import PREFERENCE_UPDATED
from tests.plans.plans import about, plan

SOURCE = '[[sources]]\nname = "web"\nwrite_key = "K"\n'


def loaded(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "relay.toml"
    file.write_text(text)
    return load(file, {})


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    return [problem.partition("relay.toml:")[2] for problem in caught.value.problems]


def test_everything_is_off_unless_asked_for(tmp_path: Path) -> None:
    config = loaded(tmp_path, SOURCE)
    assert config.browser == BrowserConfig(None, None, (), "relay")
    assert config.sources[0].bots == "keep"


def test_all_keys_are_read(tmp_path: Path) -> None:
    text = '[browser]\nprefix = "/a/B_2-x"\nscript = "lib.min.js"\ncookie_domains = ["example.com", "a.example.co.uk"]\n'
    config = loaded(tmp_path, text + SOURCE + 'bots = "mark"\n')
    assert config.browser == BrowserConfig("/a/B_2-x", "lib.min.js", ("example.com", "a.example.co.uk"))
    assert config.sources[0].bots == "mark"


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "x7k",
        "/",
        "/x7k/",
        "//x",
        "/a//b",
        "/..",
        "/a/../b",
        "/a.b",
        "/a b",
        "/a%2fb",
        "/a?b",
        "/a\\\\b",
        "/ä",
        "/" + "x" * 100,
    ],
)
def test_a_prefix_is_plain(prefix: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f'[browser]\nprefix = "{prefix}"\n')
    assert problem.startswith("2: `prefix` must be like /x7k: ")


@pytest.mark.parametrize(
    ("prefix", "part"), [("/v1", "v1"), ("/a/v1", "v1"), ("/api/x", "api"), ("/healthz", "healthz")]
)
def test_a_prefix_is_none_of_relays_own_routes(prefix: str, part: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f'[browser]\nprefix = "{prefix}"\n')
    assert problem == f"2: `prefix` must not have `{part}` in it: relay's own routes begin so"


@pytest.mark.parametrize(
    "script",
    [
        "",
        "a",
        ".js",
        "a.css",
        "../a.js",
        "a/b.js",
        "/a.js",
        "a..js",
        "a.js/",
        "a b.js",
        "a?.js",
        "%2e.js",
        "ä.js",
    ],
)
def test_the_name_of_the_script_is_plain(script: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f'[browser]\nscript = "{script}"\n')
    assert problem.startswith("2: `script` must be a file name like a.js: ")


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "com",
        ".example.com",
        "example.com.",
        "Example.com",
        "https://example.com",
        "example.com:80",
        "example.com/a",
        "127.0.0.1",
        "*.example.com",
        "-a.com",
        "a.com; Secure",
    ],
)
def test_a_domain_is_one_that_cookies_can_have(domain: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f'[browser]\ncookie_domains = ["{domain}"]\n')
    assert problem.startswith("2: `cookie_domains` must hold domains such as example.com: ")


def test_what_becomes_of_bots_is_one_of_three(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, SOURCE + 'bots = "block"\n')
    assert problem.startswith("4: ")
    assert "bots" in problem


def test_the_library_is_one_of_two(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[browser]\nlibrary = "analytics-next"\n').browser.library == "analytics-next"
    (problem,) = problems(tmp_path, '[browser]\nlibrary = "segment"\n')
    assert problem.startswith("2: ")
    assert "library" in problem


def test_a_key_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, '[browser]\nprefx = "/x7k"\n')
    assert problem == "2: unknown key `prefx`, did you mean `prefix`?"


PLANNED = SOURCE + 'plan = "shop.json"\ncontrols.allow_unplanned_track_events = false\n'
DESTINATION = '[[destinations]]\nname = "crm"\ntype = "webhook"\nsettings.url = "https://crm.example.com/"\n'


def planned(tmp_path: Path, *tables: str) -> Config:
    (tmp_path / "shop.json").write_text(json.dumps(plan(("Order Completed", about()))))
    return loaded(tmp_path, "".join(tables))


def test_a_change_of_consent_is_planned_where_destinations_ask_for_it(tmp_path: Path) -> None:
    config = planned(tmp_path, PLANNED, DESTINATION, 'consent = ["C0002"]\n')
    facts = facts_of("web", config)
    assert facts.planned == ("Order Completed", PREFERENCE_UPDATED)
    for document in (
        orjson.loads(segment_settings("K", "r/v1", "https", facts)),
        inline_settings("K", facts),
    ):
        assert document["plan"]["track"][PREFERENCE_UPDATED]["enabled"]
        assert not document["plan"]["track"]["__default"]["enabled"]


def test_a_destination_of_another_source_asks_for_it_too_as_at_admission(tmp_path: Path) -> None:
    config = planned(tmp_path, PLANNED, DESTINATION, 'sources = []\nconsent = ["C0002"]\n')
    assert facts_of("web", config).planned == ("Order Completed", PREFERENCE_UPDATED)


def test_a_change_of_consent_is_not_planned_where_nobody_asks_for_it(tmp_path: Path) -> None:
    assert facts_of("web", planned(tmp_path, PLANNED, DESTINATION)).planned == ("Order Completed",)


def test_a_source_that_lets_all_through_tells_of_no_plan(tmp_path: Path) -> None:
    config = planned(tmp_path, SOURCE, 'plan = "shop.json"\n', DESTINATION, 'consent = ["C0002"]\n')
    assert facts_of("web", config).planned is None
