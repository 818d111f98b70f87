"""`relay plan codegen`: typed calls for a plan, to be committed beside the code that makes them."""

import sys
from pathlib import Path

import click

from relay.cli.printing import plain
from relay.errors import RelayError
from relay.plans.codegen.calls import calls_of
from relay.plans.codegen.python import python
from relay.plans.codegen.typescript import BROWSER_ADDS, Sdk, typescript
from relay.plans.files import load_plan
from relay.plans.rules import Plan


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--language", required=True, type=click.Choice(["python", "typescript"]), help="What to write.")
@click.option(
    "--sdk",
    type=click.Choice(["browser", "node"]),
    help="Of typescript: analytics.js in a browser (the default), or @segment/analytics-node.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to write it; default: standard output.",
)
@click.option(
    "--check", "is_check", is_flag=True, help="Write nothing; exit with 1 when --output is not up to date."
)
def codegen(file: Path, language: str, sdk: Sdk | None, output: Path | None, *, is_check: bool) -> None:
    """Write typed calls for the plan in FILE.

    What is written depends on the plan alone, so that it can be committed; --check is for CI.
    """
    if sdk is not None and language == "python":
        raise click.UsageError("--sdk is for --language typescript")
    if is_check and output is None:
        raise click.UsageError("--check needs --output, the file to look at")
    compiled, mistakes = load_plan(file)
    if mistakes:
        click.echo("\n".join(plain(f"{file}: {mistake}") for mistake in mistakes), err=True)
        sys.exit(1)
    text = _written(compiled.plan, language, sdk or "browser")
    if output is None:
        click.echo(text, nl=False)
    elif is_check:
        _check(output, text)
    else:
        _write(output, text)


def _written(plan: Plan, language: str, sdk: Sdk) -> str:
    if language == "python":
        return python(calls_of(plan))
    return typescript(calls_of(plan, BROWSER_ADDS if sdk == "browser" else frozenset()), sdk)


def _check(output: Path, text: str) -> None:
    try:
        is_same = output.read_bytes() == text.encode()
    except OSError as error:
        raise RelayError(f"{output} cannot be read: {error.strerror}") from None
    if not is_same:
        click.echo(plain(f"{output} is not what the plan says: write it again"), err=True)
        sys.exit(1)


def _write(output: Path, text: str) -> None:
    try:
        output.write_bytes(text.encode())
    except OSError as error:
        raise RelayError(f"{output} cannot be written: {error.strerror}") from None
