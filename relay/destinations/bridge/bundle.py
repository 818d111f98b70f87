"""One file of all packages, by esbuild, which comes with them under the same lock.

Names are kept (the package's errors are told apart by the names of their classes), white space is not. What opens
connections is replaced: `cross-fetch`, by which the package sends all of its requests, and the request handler of
the AWS clients. Everything else is as it was published.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from relay.destinations.bridge.errors import CannotInstall
from relay.destinations.bridge.folder import PROGRAMS

PACKAGE = "@segment/action-destinations"
MOST_WORDS = 60  # of what esbuild says

_REGISTERED = re.compile(r"^register\('[0-9a-f]+', '\./([\w-]+)'\)", re.MULTILINE)
_UNRESOLVED = re.compile(r'Could not resolve "([^"]+)"')
_SHIMS = {"cross-fetch": "cross_fetch.cjs", "@smithy/node-http-handler": "node_http_handler.cjs"}
_HEAD = "(function(require,process,Date,host,__dirname){const module={exports:{}},exports=module.exports;"
_FOOT = "return module.exports})"


class Bundle(msgspec.Struct, frozen=True):
    """`inputs` are esbuild's: every file that went in, by its path from the packages' folder, with what it imports."""

    types: tuple[str, ...]
    inputs: dict[str, Any]


def make(packages: Path, target: Path) -> Bundle:
    """Make `target` of the packages that were fetched into a folder."""
    types = _types(packages)
    shutil.copytree(PROGRAMS / "shims", packages / "shims", dirs_exist_ok=True)
    entry, about = packages / "entry.cjs", packages / "about.json"
    entry.write_text(_entry(types), "utf-8")
    said = _run(packages, [entry.name, *_options(target, about)])
    absent = set(_UNRESOLVED.findall(said))
    if absent:  # packages that it needs and does not declare: what needs them will not load, the rest does
        said = _run(
            packages, [entry.name, *_options(target, about), *(f"--external:{name}" for name in absent)]
        )
    if said:
        raise CannotInstall(f"the packages could not be put together: {' '.join(said.split()[:MOST_WORDS])}")
    return Bundle(types, msgspec.json.decode(about.read_bytes())["inputs"])


def _entry(types: tuple[str, ...]) -> str:
    """The file that the others hang on: each destination is evaluated when it is first asked for."""
    place = f"{PACKAGE}/dist/destinations"
    destinations = ",\n".join(f'"{name}": () => require("{place}/{name}").default' for name in types)
    core = 'exports.core = () => require("@segment/actions-core");'
    return f"{core}\nexports.destinations = {{\n{destinations}\n}};\n"


def _run(packages: Path, arguments: list[str]) -> str:
    """Errors of esbuild, empty when there are none."""
    command = [str(_esbuild(packages)), *arguments]
    done = subprocess.run(command, cwd=packages, env={}, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stderr if done.returncode else ""


def _types(packages: Path) -> tuple[str, ...]:
    """The destinations that the package offers, by the folders they are in: relay's types have the same names."""
    index = packages / "node_modules" / PACKAGE / "dist" / "destinations" / "index.js"
    found = tuple(_REGISTERED.findall(index.read_text("utf-8"))) if index.is_file() else ()
    if not found:
        raise CannotInstall(
            f"this version of {PACKAGE} lists its destinations in a way that relay cannot read"
        )
    return found


def _esbuild(packages: Path) -> Path:
    places = ("bin/esbuild", "esbuild.exe")
    tools = packages / "node_modules" / "@esbuild"
    found = [path for place in places for path in tools.glob(f"*/{place}")]
    if not found:
        raise CannotInstall(
            "there is no esbuild for this kind of machine, which makes one file of the packages"
        )
    return found[0]


def _options(target: Path, about: Path) -> list[str]:
    return [
        *("--bundle", "--platform=node", "--format=cjs", "--minify-whitespace", "--minify-syntax"),
        *("--legal-comments=none", "--log-level=error"),  # notices are kept in a file of their own
        *("--external:cpu-features", "--loader:.node=empty"),  # machine code, which ssh2 can do without
        "--define:globalThis.process=process",
        *(f"--alias:{name}=./shims/{file}" for name, file in _SHIMS.items()),
        f"--banner:js={_HEAD}",
        f"--footer:js={_FOOT}",
        f"--outfile={target}",
        f"--metafile={about}",
    ]
