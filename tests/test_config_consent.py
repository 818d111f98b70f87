"""`consent_manager` of a source: what may be asked, and which sources' pages ask it."""

from pathlib import Path

from relay.config_browser import facts_of
from tests.test_config_device import loaded, mistakes

SOURCE = '[[sources]]\nname = "site"\nwrite_key = "k3"\nconsent_manager = "{}"\n'  # at line 7


def test_only_the_source_that_says_so_asks(tmp_path: Path) -> None:
    config = loaded(tmp_path, SOURCE.format("onetrust"))
    assert facts_of("site", config).consent_manager == "onetrust"
    assert facts_of("web", config).consent_manager is None
    assert facts_of("unknown", config).consent_manager is None


def test_a_manager_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    assert mistakes(tmp_path, SOURCE.format("cookiebot")) == [
        "10: Expected `onetrust` - at `consent_manager`"
    ]


def test_segments_library_does_not_ask(tmp_path: Path) -> None:
    other = '[browser]\nlibrary = "analytics-next"\n'
    (said,) = mistakes(tmp_path, SOURCE.format("onetrust"), other)
    assert said.startswith("10: `consent_manager` is for relay's own analytics.js: leave it out")
    assert loaded(tmp_path, other).browser.library == "analytics-next"


def test_nor_does_segments_script_that_comes_through_relay(tmp_path: Path) -> None:
    goes_on = "[sources.segment]\n"
    (said,) = mistakes(tmp_path, SOURCE.format("onetrust") + goes_on)
    assert said.startswith("10: `consent_manager` is for relay's own analytics.js: leave it out")
    assert "or leave out `[sources.segment]`" in said
