"""The project as a whole: its commands, its checks, and what must not be in any of its files."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 300  # of a check; it takes a few

# pieces put together, so that this file does not hold what it looks for
FORBIDDEN = {
    "an absolute path of somebody's machine": re.compile(r"(?<![\w.~-])/(work|root|home|Users|tmp)/\w"),
    "the host of a package registry": re.compile(
        "|".join(
            (r"pypi\.", r"python" + r"hosted\.", r"npm" + r"js\.", r"yarn" + r"pkg\.", r"crates\." + "io")
        )
    ),
}


def _ignored() -> frozenset[str]:
    """Names that .gitignore leaves out, as it has them: folders with a slash, and patterns."""
    lines = (ROOT / ".gitignore").read_text("utf-8").split()
    return frozenset(line.strip("/") for line in lines if not line.startswith("#"))


def _files() -> Iterator[Path]:
    """Every file that belongs to the project."""
    ignored = _ignored() | {".git"}

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if any(path.match(pattern) for pattern in ignored):
                continue
            if path.is_dir():
                yield from walk(path)
            else:
                yield path

    return walk(ROOT)


def test_the_readme_tests_as_the_checks_do() -> None:
    script = (ROOT / ".ci/run").read_text("utf-8").splitlines()
    (command,) = [line for line in script if line.startswith("python3 ")]
    assert script[-1] == command
    assert command in _shell_blocks()


def test_the_readme_has_one_command_to_start_and_one_to_test() -> None:
    start, test = _shell_blocks()
    assert start.endswith(".venv/bin/relay serve")
    assert test.endswith("-m pytest")
    assert all(command.startswith("python3 -m venv .venv && ") for command in (start, test))


def _shell_blocks() -> list[str]:
    text = (ROOT / "README.md").read_text("utf-8")
    return [block.strip() for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = []
    for path in _files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FORBIDDEN[what].finditer(text)]
    assert found == []


def test_no_lock_file_of_another_installer() -> None:
    names = {path.name for path in _files()}
    assert names & {"uv" + ".lock", "poetry.lock", "Pipfile.lock", "pdm.lock"} == set()


def test_every_dependency_is_constrained_within_its_bounds() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    versions = {_plain(name): version for name, version in pins.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [project["dependencies"], *project["optional-dependencies"].values()]
    for dependency in [d for group in wanted for d in group]:
        name, at_least = dependency.partition(";")[0].split(">=")
        assert _numbers(versions[_plain(name)]) >= _numbers(at_least), dependency


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize(
    "command",
    [
        ("-m", "ruff", "check", "."),
        ("-m", "ruff", "format", "--check", "."),
        ("-m", "mypy"),
        ("-c", LINT_IMPORTS),
    ],
    ids=["ruff check", "ruff format", "mypy", "lint-imports"],
)
def test_is_quiet(command: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
