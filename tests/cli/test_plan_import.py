"""`relay plan import`: files in, one plan file out."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relay.cli import relay
from relay.errors import RelayError

TABLE = "Event Name,Property Name,Property Type,Required,Owner\nPaid,id,string,required,ann\n"
RULE = {"type": "TRACK", "key": "Paid", "version": 1, "jsonSchema": {"type": "object"}}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def import_(*arguments: str) -> Result:
    return CliRunner().invoke(relay, ["plan", "import", *arguments])


def refused(*arguments: str) -> str:
    result = import_(*arguments)
    assert isinstance(result.exception, RelayError), result.output
    return str(result.exception)


@pytest.mark.parametrize("name", ["shop.csv", "shop.txt"])
def test_a_table_becomes_a_plan_that_is_right(name: str) -> None:
    Path(name).write_bytes(b"\xef\xbb\xbf" + TABLE.encode())
    result = import_(name, "-o", "plan.json")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "note: column `Owner` is not read\n1 rule\n"
    checked = CliRunner().invoke(relay, ["plan", "check", "plan.json"])
    assert checked.output == "plan.json is right: 1 rule\n"
    assert json.loads(Path("plan.json").read_text())["display_name"] == "shop"


def test_pages_of_the_public_api_become_a_plan() -> None:
    pages = [[RULE], [{**RULE, "type": "PAGE", "key": "Home"}, {**RULE, "type": "COMMON", "key": ""}]]
    for number, rules in enumerate(pages):
        page = {"data": {"rules": rules, "pagination": {"totalEntries": 3}}}
        Path(f"{number}.json").write_text(json.dumps(page))
    result = import_("0.json", "1.json", "--name", "Shop")
    assert (result.exit_code, result.stderr) == (0, "3 rules\n")
    Path("plan.json").write_text(result.stdout)
    assert CliRunner().invoke(relay, ["plan", "check", "plan.json"]).output == "plan.json is right: 3 rules\n"
    assert refused("0.json") == "rules: 1 of 3 are here: a page is missing"


def test_a_mistake_is_told_with_its_line_and_nothing_is_written() -> None:
    Path("shop.csv").write_text(TABLE + "Paid,x,sting,,\n")
    assert refused("shop.csv", "-o", "plan.json").startswith(
        "shop.csv:3: type: must be one of any, date-time"
    )
    assert not Path("plan.json").exists()


def test_a_schema_that_no_plan_may_have_is_not_written() -> None:
    Path("shop.csv").write_text("Event Name,Property Name,Allowed Property Values\nPaid,id,(?!a)\n")
    assert "plan.json was not written: rules.events[0]" in refused("shop.csv", "-o", "plan.json")
    assert not Path("plan.json").exists()


def test_a_file_that_is_there_is_kept() -> None:
    Path("shop.csv").write_text(TABLE)
    Path("plan.json").write_text("mine")
    assert refused("shop.csv", "-o", "plan.json") == "plan.json is there already: --force overwrites it"
    assert import_("shop.csv", "-o", "plan.json", "--force").exit_code == 0
    assert refused("shop.csv", "-o", "no/plan.json").startswith("no/plan.json: cannot be written")


def test_what_cannot_be_read() -> None:
    assert refused("none.csv") == "none.csv: cannot be read: No such file or directory"
    assert refused("none.json") == "none.json: cannot be read: No such file or directory"
    Path("shop.csv").write_bytes(b"Event Name,\xff")
    assert refused("shop.csv") == "shop.csv: is no UTF-8"
    Path("shop.json").write_text("{")
    assert refused("shop.json").startswith("shop.json: not JSON")
    with Path("large.csv").open("wb") as large:
        large.truncate(15_000_001)
    assert refused("large.csv") == "large.csv: has more than 15,000,000 bytes"


def test_wrong_usage() -> None:
    Path("a.csv").write_text(TABLE)
    assert import_().exit_code == 2
    assert import_("a.csv", "a.csv").exit_code == 2
