"""What a benchmark found, as a table for people or one JSON object for machines: the same numbers.

A report has sections, a section has columns (the things compared) and a column has measures, whose
names end in their unit. JSON: `{"benchmark", "machine", "sections": {section: {column: {measure:
number}}}, "problems": [...]}`. Whoever finds a problem (events lost, say) adds it; the exit code is
then 1.
"""

import asyncio
import os
import platform
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, field
from typing import Any

import click
import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from bench.processes import BenchError

Column = dict[str, float | int | str]


def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 1),  # before the run: what else was going on
    }


@dataclass
class Report:
    """The numbers of one run of one benchmark."""

    benchmark: str
    machine: dict[str, Any] = field(default_factory=_machine)
    sections: dict[str, dict[str, Column]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, section: str, column: str, measures: Column) -> None:
        """Put a column into a section, either of them new or not."""
        self.sections.setdefault(section, {}).setdefault(column, {}).update(measures)

    def to_json(self) -> str:
        """Write one object on one line."""
        return orjson.dumps(asdict(self)).decode()

    def print_tables(self) -> None:
        """Print one table a section."""
        console = Console()
        console.print(f"{self.benchmark} on " + ", ".join(f"{k} {v}" for k, v in self.machine.items()))
        for title, columns in self.sections.items():
            console.print(_table(title, columns))
        for problem in self.problems:
            console.print(f"PROBLEM: {problem}", style="bold red")


def json_option(command: Callable[..., None]) -> Callable[..., None]:
    """`--json`, which every benchmark has."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")(command)


def run(benchmark: Coroutine[Any, Any, Report], *, as_json: bool) -> None:
    """Run it to its end or to a signal, print its report, and exit 1 when there was a problem."""
    try:
        report = uvloop.run(_until_signal(benchmark))
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise click.Abort from None
    if as_json:
        click.echo(report.to_json())
    else:
        report.print_tables()
    sys.exit(1 if report.problems else 0)


def say(text: str) -> None:
    """Progress: to stderr, which is nobody's input."""
    click.echo(text, err=True)


async def _until_signal(benchmark: Coroutine[Any, Any, Report]) -> Report:
    """Let a SIGTERM end it like Ctrl-C does, so that the processes it started are stopped."""
    task = asyncio.ensure_future(benchmark)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _table(title: str, columns: dict[str, Column]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for measure in dict.fromkeys(m for column in columns.values() for m in column):
        table.add_row(
            measure.replace("_", " "), *(_cell(column.get(measure, "")) for column in columns.values())
        )
    return table


def _cell(value: float | str) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else value
