"""The real TypeScript compiler and Segment's SDKs, from npm."""

import json
import re
import subprocess
from pathlib import Path

from tests.acceptance.sdks import NODE, install_node_sdk
from tests.plans.codegen.written import HERE

COMPILER_SECONDS = 110
STRICT = {
    "target": "es2022",
    "module": "esnext",
    "moduleResolution": "bundler",
    "lib": ["es2022", "dom"],
    "types": ["node"],
    "strict": True,
    "noImplicitReturns": True,
    "noPropertyAccessFromIndexSignature": True,
    "noUncheckedIndexedAccess": True,
    "exactOptionalPropertyTypes": True,
    "isolatedModules": True,
    "verbatimModuleSyntax": True,
    "erasableSyntaxOnly": True,
}

Errors = dict[str, dict[int, str]]


def packages() -> Path:
    """The folder in which they are installed."""
    return install_node_sdk(HERE / "node") / "node_modules"


def compiled(folder: Path, modules: Path) -> Errors:
    """Compiles what is in `folder` to JavaScript beside it. The errors of each file, by line."""
    (folder / "node_modules").symlink_to(modules)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": STRICT, "include": ["*.ts"]}))
    (folder / "package.json").write_text('{"type": "module"}')
    done = subprocess.run(
        [NODE, modules / "typescript" / "bin" / "tsc", "--pretty", "false"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMPILER_SECONDS,
    )
    found: Errors = {}
    for name, line, said in re.findall(r"^([^\s(]+)\((\d+),\d+\): error (.*)$", done.stdout, re.MULTILINE):
        found.setdefault(name, {})[int(line)] = said
    assert done.returncode == 0 or found, done.stdout + done.stderr
    return found
