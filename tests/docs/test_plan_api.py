"""The calls of docs/plan-api.md do what the page says, in the order in which they stand there."""

from pathlib import Path

from relay.api.dialects import CODES
from tests.docs.pages import DOCS, blocks, commands, read
from tests.gateway.relay_here import RelayHere, relay_here

NAME = "plan-api.md"
CONFIG, PUBLIC = [block for block in blocks("console") if block.page == DOCS / NAME]


def words_of(words: list[str]) -> tuple[str, str, bytes | None, dict[str, str]]:
    """Method, path, body and headers of a call of curl."""
    method, path, body, headers = "GET", "", None, {}
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-X":
                method = next(rest)
            case "-d":
                body = next(rest).encode()
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case _:
                path = word.removeprefix("http://127.0.0.1:8081")
    del headers["Authorization"]
    return method, path, body, headers


async def test_the_calls_of_the_config_api(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        plan = ""
        for _, words in commands(CONFIG):
            method, path, body, headers = words_of(words)
            answer = await relay.ask(method, path.replace("PLAN", plan), body, headers)
            assert answer.status == 200, answer
            plan = plan or answer.json["name"].rpartition("/")[2]
        assert answer.json["display_name"] == "Big shop"
        assert relay.app.config.sources[0].controls.allow_track_event_on_violations is False
        assert _names(relay) == {"web": ["Order Completed"]}


async def test_the_calls_of_the_public_api(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        plan, seen = "", []
        for _, words in commands(PUBLIC):
            method, path, body, headers = words_of(words)
            answer = await relay.ask(method, path.replace("PLAN", plan), body, headers)
            assert answer.status == 200, answer
            plan = plan or answer.json["data"]["trackingPlan"]["id"]
            seen.append(_names(relay))
        assert seen == [*[{}] * 3, *[{"web": ["Order Paid"]}] * 2, {"web": []}, {}]
        assert relay.app.config.sources[0].controls.allow_unplanned_track_events is False


def _names(relay: RelayHere) -> dict[str, list[str]]:
    """The events that are planned, by source."""
    plans = relay.app.config.plans
    return {source: [rule.key for rule in compiled.plan.rules] for source, compiled in plans.items()}


def test_the_codes_are_those_of_the_page() -> None:
    page = read(NAME)
    shown: dict[int, int] = {}
    for line in page.splitlines():
        if line.startswith("| ") and line[2].isdigit():
            statuses, code = line.strip("| ").split(" | ")
            shown |= dict.fromkeys(map(int, statuses.split(", ")), int(code))
    assert shown == {status: code for status, code in CODES.items() if status not in (429, 501)}
