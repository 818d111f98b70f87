"""Segment's destinations in commands: listed, shown, tested and looked up; and what is said when something is missing."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any, Self

import msgspec
import pytest
from click.testing import CliRunner, Result

from relay.cli import relay
from relay.config import load
from relay.destinations import CATALOGUE
from relay.destinations.bridge.catalogue import Catalogue
from relay.destinations.bridge.kinds import BridgedDestination, kind_of
from relay.destinations.device import DEVICE_ONLY
from relay.errors import RelayError
from tests.destinations.bridge.conftest import Installation
from tests.destinations.vendor import Asked, Door, Said, Vendor
from tests.environment import Environment

ANY = (Door("GET", ".*"), Door("POST", ".*"))


class Desk:
    """A folder with a relay.toml in which the package is installed."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "relay.toml"
        self.folder = folder
        self.configure("")

    def configure(self, text: str, data: str | None = None) -> None:
        place = self.folder if data is None else data
        self.file.write_text(f'[server]\ndata_dir = "{place}"\n{text}', "utf-8")

    def asked(self, *words: str) -> Result:
        return CliRunner().invoke(relay, [*words, "--config", str(self.file)])

    def shown(self, *words: str) -> str:
        result = self.asked(*words)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout


@pytest.fixture
def desk(installation: Installation) -> Desk:
    return Desk(installation.root.parent)


@pytest.fixture
def vendor() -> Iterator["Running"]:
    with Running() as made:
        yield made


class Running:
    """A vendor in a thread of its own: commands have their own loop. `says`: the answer to everything."""

    def __init__(self) -> None:
        self.said = Said()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever)
        self.vendor = Vendor(ANY, self._world, self._world)

    def _world(self, _: Asked) -> Said:
        return self.said

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self.vendor.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self.vendor.stop())
        self._run(_turns())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


async def _turns() -> None:
    """Of the loop: a transport that is closed says so to its socket in the next."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_all_types_are_in_one_list(desk: Desk, catalogue: Catalogue) -> None:
    listed = json.loads(desk.shown("destinations", "--json"))["destinations"]
    engines = {one["type"]: one["engines"] for one in listed}
    assert engines.keys() == CATALOGUE.keys() | DEVICE_ONLY.keys() | catalogue.by_type.keys()
    assert (engines["iterable"], engines["mixpanel"], engines["relay"], engines["kafka"]) == (
        ["bridge"],
        ["native", "bridge"],
        ["native"],
        [],
    )
    text = desk.shown("destinations")
    assert "\niterable " in text
    assert "cannot be used: it opens connections of its own" in text
    assert "relay destinations install" not in text


@pytest.mark.parametrize("engine", [(), ("--engine", "native"), ("--engine", "bridge")])
def test_a_type_that_both_have_is_shown_as_the_engine_runs_it(desk: Desk, engine: tuple[str, ...]) -> None:
    text = desk.shown("destinations", "mixpanel", *engine)
    is_bridged = "bridge" in engine
    assert ("by Segment's own code" in text.splitlines()[0]) == is_bridged
    assert ('type = "mixpanel"\nengine = "bridge"\n' in text) == is_bridged


@pytest.mark.parametrize("name", ["iterable", "actions-iterable"])
def test_a_type_is_shown_with_settings_actions_presets_and_a_block(desk: Desk, name: str) -> None:
    text = desk.shown("destinations", name)
    assert "\napiKey " in text
    assert "\nAction trackEvent: " in text
    assert "\nPresets: " in text
    assert text.endswith('# dataCenterLocation = "united_states"\n')
    assert 'type = "iterable"' in text
    assert "engine" not in text.partition("In relay.toml")[2]


def test_every_block_is_right_when_its_variables_are_set(
    desk: Desk, catalogue: Catalogue, tmp_path: Path
) -> None:
    for name in ("iterable", "posthog", "attentive", "hilo", "heap"):
        block = json.loads(desk.shown("destinations", name, "--json"))["block"]
        path = tmp_path / "relay.toml"
        path.write_text(f'[server]\ndata_dir = "{desk.folder}"\n{block}', "utf-8")
        config = load(path, Environment())
        assert isinstance(config.settings[name], BridgedDestination)


def test_presets_come_back_as_they_are(desk: Desk, catalogue: Catalogue) -> None:
    listed = json.loads(desk.shown("destinations", "iterable", "--subscriptions"))
    kind = kind_of(catalogue.by_type["iterable"])
    assert issubclass(kind, BridgedDestination)
    made = msgspec.to_builtins(kind.preset_subscriptions())
    assert [{k: one[k] for k in ("name", "action", "subscribe", "mapping")} for one in made] == listed


def test_one_that_cannot_run_is_refused_with_the_reason(desk: Desk) -> None:
    result = desk.asked("destinations", "kafka")
    assert isinstance(result.exception, RelayError)
    assert "it opens connections of its own" in str(result.exception)


def test_the_nearest_of_all_names_is_meant(desk: Desk) -> None:
    result = desk.asked("destinations", "itreable")
    assert result.exit_code == 2


def test_a_type_of_an_installation_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.configure('[[destinations]]\nname = "it"\ntype = "iterable"\nsettings = { apiKey = "k" }\n')
    result = desk.asked("check")
    assert result.exit_code == 1
    assert "Segment's own come with `relay destinations install`" in result.stdout
    # the file that names it is no hindrance to getting it
    removed = desk.asked("destinations", "remove", "1.0.0")
    assert "unknown destination type" not in str(removed.exception)


def test_what_lies_under_a_relative_folder_runs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, vendor: Running
) -> None:
    monkeypatch.chdir(desk.folder.parent)
    desk.configure(mixpanel(vendor), desk.folder.name)
    assert "good" in desk.shown("check", "--connect")


def mixpanel(vendor: Running) -> str:
    return f"""
[[destinations]]
name = "it"
type = "mixpanel"
engine = "bridge"
endpoint = "{vendor.vendor.url}"
settings = {{ projectToken = "t", apiSecret = "s3cret-of-mine" }}
"""


def test_credentials_are_tested_by_segment_s_own_test(desk: Desk, vendor: Running) -> None:
    desk.configure(mixpanel(vendor))
    (good,) = json.loads(desk.shown("check", "--connect", "--json"))["connections"]
    assert (good["credentials"], len(vendor.vendor.requests)) == ("good", 1)
    vendor.said = Said(401, "no s3cret-of-mine here")
    result = desk.asked("check", "--connect", "--json")
    (bad,) = json.loads(result.stdout)["connections"]
    assert result.exit_code == 1
    assert "401" in bad["credentials"]
    assert "s3cret-of-mine" not in result.stdout


def test_credentials_that_cannot_be_tested_say_why(
    desk: Desk, vendor: Running, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not catalogue.by_type["zapier"].has_test
    head = '[[destinations]]\nname = "other"\ntype = "zapier"\nengine = "bridge"\n'
    desk.configure(f'{mixpanel(vendor)}{head}endpoint = "{vendor.vendor.url}"\n')
    monkeypatch.setattr("relay.sandbox.deno.importlib.import_module", _missing)
    found = json.loads(desk.shown("check", "--connect", "--json"))["connections"]
    said = {one["destination"]: one["credentials"] for one in found}
    assert (
        said["it"]
        == "not tested: running Segment's own destinations needs Deno: pip install 'relay[integrations]'"
    )
    assert said["other"].startswith("not tested: Segment's code has no test")


def _missing(name: str) -> Any:
    raise ImportError(name)


BRAZE = """
[[destinations]]
name = "NAME"
type = "braze"
endpoint = "URL"
settings = { api_key = "k3y-of-mine", app_id = "a", endpoint = "https://rest.iad-01.braze.com" }
"""


def test_what_a_vendor_offers_for_a_field_is_looked_up(desk: Desk, vendor: Running) -> None:
    desk.configure(BRAZE.replace("URL", vendor.vendor.url).replace("NAME", "it"))
    campaigns = [{"id": "c1", "name": "Spring", "is_api_campaign": True, "tags": []}]
    vendor.said = Said(200, {"campaigns": []})
    vendor.vendor.says(Said(200, {"campaigns": campaigns}))
    words = ("destinations", "braze", "--field", "triggerCampaign.campaign_id")
    assert "Spring" in desk.shown(*words)
    assert vendor.vendor.requests[0].headers["Authorization"] == "Bearer k3y-of-mine"
    vendor.vendor.says(Said(200, {"campaigns": campaigns}))
    (choice,) = json.loads(desk.shown(*words, "--json"))["choices"]
    assert (choice["value"], choice["label"]) == ("c1", "Spring")


def test_a_vendor_that_refuses_is_quoted_without_the_key(desk: Desk, vendor: Running) -> None:
    desk.configure(BRAZE.replace("URL", vendor.vendor.url).replace("NAME", "it"))
    vendor.said = Said(401, {"message": "no k3y-of-mine"})
    result = desk.asked("destinations", "braze", "--field", "triggerCampaign.campaign_id")
    assert isinstance(result.exception, RelayError)
    assert str(result.exception).startswith("it: ")
    assert "k3y-of-mine" not in str(result.exception)


def test_a_field_wants_a_destination_of_its_type(desk: Desk) -> None:
    words = ("destinations", "braze", "--field", "triggerCampaign.campaign_id")
    result = desk.asked(*words)
    assert isinstance(result.exception, RelayError)
    assert "no destination of relay.toml has the type `braze`" in str(result.exception)
    two = BRAZE.replace("URL", "http://127.0.0.1:9")
    desk.configure(two.replace("NAME", "one") + two.replace("NAME", "two"))
    assert "--name must be one of one, two" in desk.asked(*words).stderr
    assert "no answer from 127.0.0.1" in str(desk.asked(*words, "--name", "one").exception)


@pytest.mark.parametrize(
    ("field", "said"),
    [("triggerCampain.x", "did you mean `triggerCampaign`"), ("triggerCampaign.body", "no such")],
)
def test_a_field_nobody_can_look_up_is_wrong_usage(desk: Desk, field: str, said: str) -> None:
    desk.configure(BRAZE.replace("URL", "http://127.0.0.1:9").replace("NAME", "it"))
    result = desk.asked("destinations", "braze", "--field", field)
    assert result.exit_code == 2
    assert said in result.stderr
