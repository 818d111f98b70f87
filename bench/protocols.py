"""protocols: what tracking plans cost.

`events`: one event held against its plan, beside what the bare validator takes for the same; an event of 15 properties
(texts, numbers, an enum, a pattern, a date, a list of objects, an object). `compile`: a plan of so many such rules, from
decoded JSON to ready. `admission`: events a second through the whole of admission's own work but the disk, of a source
without a plan and of one with.

How to read it: an event that keeps the plan should take three times what the bare validator does at most, and 2,000 rules
a second at most. More is a problem.
"""

import time
from collections.abc import Callable
from typing import Any

import click
import orjson
from jsonschema_rs import Draft7Validator

from bench.report import Report, json_option, run
from relay.admission.normalise import events_of
from relay.admission.plans import SourcePlans, settle
from relay.log.record import Record
from relay.plans.compile import CompiledPlan, compile_plan
from relay.plans.controls import Controls
from relay.plans.enforce import Enforcer
from relay.plans.shapes import read_plan

MOST_TIMES = 3.0  # of the bare validator
MOST_SECONDS = 1.0  # for 2,000 rules
_OMITS = Controls(allow_unplanned_track_event_properties=False, allow_track_properties_on_violations=False)
_TEXT, _NUMBER = {"type": ["string"]}, {"type": ["number", "null"]}
_PROPERTIES: dict[str, Any] = {
    **{f"text_{number}": _TEXT for number in range(6)},
    **{f"number_{number}": _NUMBER for number in range(3)},
    "count": {"type": "integer", "minimum": 0},
    "kind": {"type": "string", "enum": ["a", "b", "c"]},
    "code": {"type": "string", "pattern": r"^[a-z]{2,10}-\d+$"},
    "date": {"type": "string", "format": "date-time"},
    "products": {
        "type": "array",
        "items": {"type": "object", "required": ["sku"], "properties": {"sku": _TEXT, "price": _NUMBER}},
    },
    "address": {"type": "object", "properties": {"city": _TEXT, "street": _TEXT}},
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "context": {},
        "properties": {"type": "object", "required": ["text_0", "count"], "properties": _PROPERTIES},
    },
}
_GOOD: dict[str, Any] = {
    **{f"text_{number}": "some text" for number in range(6)},
    **{f"number_{number}": 1.5 for number in range(3)},
    "count": 3,
    "kind": "b",
    "code": "ab-12",
    "date": "2026-11-24T08:45:32.179Z",
    "products": [{"sku": "a", "price": 1}, {"sku": "b", "price": 2.5}],
    "address": {"city": "Ulm", "street": "Main"},
}
_BAD = {**_GOOD, "number_0": "1", "kind": "x", "code": "no", "new": 1}


@click.command()
@click.option("--rules", default=2000, help="Rules of the plan that is compiled.")
@click.option("--events", "count", default=20_000, help="How often each event is held against its plan.")
@json_option
def protocols(*, rules: int, count: int, as_json: bool) -> None:
    """Measure tracking plans: compiling them, and events held against them."""
    run(_protocols(rules, count), as_json=as_json)


async def _protocols(rules: int, count: int) -> Report:
    report = Report("protocols")
    raw = orjson.dumps(_plan(rules))
    began = time.perf_counter()
    compiled = _compiled(orjson.loads(raw))
    seconds = time.perf_counter() - began
    report.add("compile", "plan", {"rules": rules, "seconds": seconds, "ms_a_rule": seconds / rules * 1000})
    if seconds > MOST_SECONDS * rules / 2000:
        report.problems.append(f"{rules:,} rules took {seconds:.1f} s")
    _measure_events(report, compiled, count)
    for column, plans in (("without a plan", SourcePlans()), ("with a plan", SourcePlans())):
        if column == "with a plan":
            plans.take_up({"app": compiled}, [("app", _OMITS)])
        for kind, properties in (("good", _GOOD), ("bad", _BAD)):
            rate = await _admitted(plans, properties, count // 100)
            report.add("admission", column, {f"{kind}_events_per_s": round(rate)})
    return report


def _measure_events(report: Report, compiled: CompiledPlan, count: int) -> None:
    bare = Draft7Validator(_SCHEMA)
    good, bad = _event(_GOOD), _event(_BAD)
    least = _us(lambda: bare.is_valid(good), count)
    report.add(
        "events", "bare validator", {"good_us": least, "bad_us": _us(lambda: bare.is_valid(bad), count)}
    )
    for column, controls in (("all allowed", Controls()), ("omitting", _OMITS)):
        enforcer = Enforcer(compiled, controls)
        taken = _us(lambda held=enforcer: held(good), count)  # type: ignore[misc]
        wrong = _us(lambda held=enforcer: held(bad), count // 10)  # type: ignore[misc]
        report.add("events", column, {"good_us": taken, "bad_us": wrong, "times_bare": taken / least})
        if taken > MOST_TIMES * least:
            report.problems.append(
                f"{column}: a good event takes {taken / least:.1f} times the bare validator"
            )


def _plan(rules: int) -> dict[str, Any]:
    return {
        "rules": {"events": [{"name": f"Event {n}", "version": 1, "rules": _SCHEMA} for n in range(rules)]}
    }


def _compiled(raw: dict[str, Any]) -> CompiledPlan:
    compiled, mistakes = compile_plan(read_plan(raw)[0])
    assert mistakes == []
    return compiled


def _event(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "track", "event": "Event 0", "userId": "u", "context": {}, "properties": properties}


def _us(work: Callable[[], object], times: int) -> float:
    """Microseconds of one, the best of twenty runs: others had company."""
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(times // 20):
            work()
        best = min(best, (time.perf_counter() - began) / (times // 20))
    return best * 1e6


async def _admitted(plans: SourcePlans, properties: dict[str, Any], batches: int) -> float:
    """Events a second."""
    batch = [{**_event(properties), "messageId": f"m{number}"} for number in range(100)]
    body = orjson.dumps({"batch": batch})
    record = Record(
        1_795_521_600_000,
        "app",
        "batch",
        client=False,
        ip=None,
        user_agent=None,
        sent_at=None,
        events=100,
        body=body,
    )
    began = time.perf_counter()
    for _ in range(batches):
        groups = [events_of(record, "bench")]
        for event, ruling in await plans.rule(groups):
            settle(event, ruling)
    return batches * 100 / (time.perf_counter() - began)
