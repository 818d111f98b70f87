"""The index of seen ids with its database, driven as the admission pass drives it."""

from pathlib import Path

from relay.admission.seen import GENERATION_MS, Seen, digest
from relay.database import connect_writer, migrate, transaction
from relay.log.state import MIGRATIONS

DAY = GENERATION_MS
START = 20_000 * DAY  # a midnight


class Index:
    """Ids go in by `see`, which says which were known. `now` is moved by hand."""

    def __init__(self, folder: Path, *, now: int = START, slice_ids: int = 10, filter_bits: int = 16) -> None:
        self.folder = folder
        self.now = now
        self.connection = connect_writer(folder / "state.db", "NORMAL")
        migrate(self.connection, MIGRATIONS, folder / "state.db")
        self.seen = Seen(folder, slice_ids=slice_ids, filter_bits=filter_bits)
        self.seen.load(self.connection, now)
        self.looked_up = 0

    def see(self, *ids: str, is_saved: bool = True) -> list[bool]:
        """One pass. Without `is_saved` the process ends before the filter is saved."""
        self.seen.advance(self.now)
        keys = [digest("app", one) for one in ids]
        doubtful = [key for key in keys if self.seen.may_be_known(key) and not self.seen.is_recent(key)]
        self.looked_up += len(doubtful)
        recent = {key for key in keys if self.seen.is_recent(key)}
        with transaction(self.connection):
            known = recent | self.seen.find(self.connection, doubtful)
            fresh = list(dict.fromkeys(key for key in keys if key not in known))
            self.seen.record(self.connection, fresh)
        self.seen.remember(fresh)
        if self.seen.is_full:
            self.sort(is_saved=is_saved)
        return [key in known for key in keys]

    def sort(self, *, is_saved: bool = True) -> None:
        with transaction(self.connection):
            after = self.seen.sort(self.connection)
        if is_saved:
            after()

    def forget(self) -> int:
        """Forget until nothing old is left; how many bites it took."""
        bites = 0
        while self.seen.has_old:
            with transaction(self.connection):
                self.seen.forget_some(self.connection)
            bites += 1
        return bites

    def count(self, table: str) -> int:
        (number,) = self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(number)

    def slices(self) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = self.connection.execute(
            "SELECT slice, generation FROM seen_slices"
        ).fetchall()
        return found

    def filters(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("seen-*"))

    def close(self) -> None:
        self.connection.close()

    def reopened(self, *, after_ms: int = 0, slice_ids: int = 10, filter_bits: int = 16) -> "Index":
        """A new process on the same folder."""
        self.close()
        return Index(self.folder, now=self.now + after_ms, slice_ids=slice_ids, filter_bits=filter_bits)


def ids(*numbers: int) -> list[str]:
    """Ids by number."""
    return [f"id-{n}" for n in numbers]
