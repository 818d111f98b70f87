"""What a log must hold, kept beside the real one: acknowledged records for sure, refused ones perhaps."""

from copy import copy

from relay.log.base import Log
from relay.log.record import Record
from tests.log.records import read_all, record


class Model:
    """Knows every record that was ever handed in, and the sequence of each that was acknowledged."""

    def __init__(self) -> None:
        self.made: list[Record] = []
        self.acknowledged: dict[int, int] = {}  # sequence: number of the record

    def make(self, sizes: list[int]) -> list[Record]:
        """New records, to be handed in."""
        first = len(self.made)
        made = [record(n, size=size, events=1 + n % 3) for n, size in enumerate(sizes, first)]
        self.made += [copy(one) for one in made]
        return made

    def acknowledge(self, sequence: int, handed_in: Record) -> None:
        """The log gave `sequence` to a record."""
        assert sequence not in self.acknowledged, f"sequence {sequence} was given twice"
        self.acknowledged[sequence] = number_of(handed_in)

    def at(self, number: int, sequence: int) -> Record:
        """The record as it was handed in, at its place."""
        one = copy(self.made[number])
        one.sequence = sequence
        return one

    async def check(self, log: Log) -> None:
        """Everything acknowledged is there, verbatim; what else is there was handed in; no gaps, nothing twice."""
        found = await read_all(log, max_events=200)
        assert [r.sequence for r in found] == list(range(log.first, log.head + 1))
        assert max(self.acknowledged, default=0) <= log.head
        numbers = [number_of(r) for r in found]
        assert len(set(numbers)) == len(numbers)
        for one, number in zip(found, numbers, strict=True):
            assert number == self.acknowledged.get(one.sequence, number)
            assert one == self.at(number, one.sequence)

    async def learn(self, log: Log, surely: dict[int, int]) -> None:
        """After a crash: what the disk holds counts from now on, if it holds all that was surely acknowledged."""
        self.acknowledged = surely
        await self.check(log)
        self.acknowledged = {r.sequence: number_of(r) for r in await read_all(log)}


def number_of(one: Record) -> int:
    """Which record this is."""
    return int(one.body.partition(b":")[0])
