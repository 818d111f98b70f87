"""The data directory: one relay at a time, and the keys that were made for it.

relay.lock      held while a relay runs
state.db        cursors, verdicts, rulings, seen ids, parked events, dead letters, OAuth tokens
blocked.db      events that tracking plans have blocked, for 30 days
log/            segments, each named by its first sequence
seen-N.bloom    filters of seen ids; rebuilt when missing
api.json        which source has which plan, and controls, as set by API
plans/          plans made by API, when there is no relay.toml: else they are beside it
admin_token     made when relay.toml names none, readable by the owner only
write_key       the same, for a configuration without sources
"""

import fcntl
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from relay.errors import DataDirectoryError


class DataDirectory:
    """An open data directory; a context manager that holds its lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)  # what people do is in there
            self._lock = os.open(self.path / "relay.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataDirectoryError(f"another relay is running on {self.path}") from None
        except OSError as error:
            raise DataDirectoryError(f"{self.path} cannot be used: {error.strerror}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def state(self) -> Path:
        return self.path / "state.db"

    @property
    def blocked(self) -> Path:
        return self.path / "blocked.db"

    @property
    def log(self) -> Path:
        return self.path / "log"

    def secret(self, name: str) -> str:
        """The secret kept under `name`, made at first."""
        kept = read_secret(self.path, name)
        if kept is not None:
            return kept
        made = secrets.token_urlsafe(24)
        descriptor = os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(made + "\n")
        return made


def read_secret(path: Path, name: str) -> str | None:
    """The secret kept under `name` in the data directory `path`, None when there is none to read."""
    try:
        return (path / name).read_text().strip() or None
    except OSError:
        return None
