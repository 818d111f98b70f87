"""`relay backup`: a consistent copy of the data directory, whether relay runs or not.

The state database is copied first, the log after it: so the log in the copy is never behind the cursors, and all
that was acknowledged before the backup began is in it. What the cursors do not know yet is admitted and delivered
once more. Each SQLite file is read in one read transaction of a connection that cannot write and never
checkpoints. Files are copied and packed one after the other, so that the disk holds one copy at a time.

Not in it: the lock, and the filters of seen ids, which are made again.
"""

import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import click

from relay.cli.client import CannotDo
from relay.cli.config_file import read_leniently
from relay.cli.options import config_option, json_option
from relay.cli.printing import counted, print_json, size
from relay.cli.running import data_directory
from relay.log.segment import segment_files, segment_path

COMPRESSION = 6  # of 9: beyond it takes twice the time for a hundredth of the size
PLAIN_FILES = ("admin_token", "write_key", "api.json")


class Copied(NamedTuple):
    """What is in a backup."""

    segments: int
    n_bytes: int  # of the packed file


@click.command()
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Overwrite FILE if it is there.")
@config_option
@json_option
def backup(target: Path, *, force: bool, file: Path | None, as_json: bool) -> None:
    """Copy the data directory into FILE (.tar.gz), while relay runs.

    All events that were taken in before are in it, and where each destination stands; also the keys that relay
    made, so keep it as safe as them. relay.toml is not in it. To restore: unpack it into an empty data directory
    and start relay.
    """
    folder = data_directory(read_leniently(file))
    if not (folder / "state.db").is_file():
        raise CannotDo(f"{folder} is no data directory of relay (is this the folder where relay is started?)")
    if target.exists() and not force:
        raise CannotDo(f"{target} is there already: name another file, or --force")
    try:
        copied = _back_up(folder, target)
    except (OSError, sqlite3.Error) as error:
        raise CannotDo(f"no backup was made: {getattr(error, 'strerror', None) or error}") from None
    if as_json:
        print_json({"file": str(target), "bytes": copied.n_bytes, "segments": copied.segments})
        return
    click.echo(
        f"{target}: {size(copied.n_bytes)}, {counted(copied.segments, 'log segment')}\n"
        f"To restore, with relay stopped and an empty DATA_DIR:\n  tar xzf {target} -C DATA_DIR"
    )


def _back_up(folder: Path, target: Path) -> Copied:
    with (
        tempfile.TemporaryDirectory(prefix=".relay-backup-", dir=target.parent) as work,
        _packed(target) as packed,
    ):
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=COMPRESSION) as archive:
            scratch = Path(work) / "copy.db"
            if not _add_database(archive, folder, Path("state.db"), scratch):
                raise CannotDo(f"{folder}/state.db is gone")
            _add_database(archive, folder, Path("blocked.db"), scratch)
            paths = [segment_path(Path("log"), first) for first in segment_files(folder / "log")]
            segments = sum(_add_database(archive, folder, path, scratch) for path in paths)
            plans = [f"plans/{file.name}" for file in sorted(folder.glob("plans/rs_*.json"))]
            for name in (*PLAIN_FILES, *plans):
                if (folder / name).is_file():
                    archive.add(folder / name, name)
        packed.flush()
        return Copied(segments, packed.tell())


@contextmanager
def _packed(target: Path) -> Iterator[IO[bytes]]:
    """A file, readable by its owner only, that becomes `target` at the end if all went well."""
    descriptor, name = tempfile.mkstemp(prefix=".relay-backup-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def _add_database(archive: tarfile.TarFile, folder: Path, path: Path, scratch: Path) -> bool:
    """Add a copy of an SQLite file, with its owner and mode. False when retention has taken it meanwhile."""
    try:
        info = archive.gettarinfo(folder / path, str(path))
        _copy(folder / path, scratch)
    except (FileNotFoundError, sqlite3.OperationalError):
        if (folder / path).exists():
            raise
        return False
    info.size = scratch.stat().st_size
    with scratch.open("rb") as copy:
        archive.addfile(info, copy)
    scratch.unlink()
    return True


def _copy(path: Path, scratch: Path) -> None:
    """All pages in one step: with several, every write in between would begin it anew."""
    scratch.unlink(missing_ok=True)
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(scratch)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # a copy that a crash spoils is never looked at
        source.backup(copy)
