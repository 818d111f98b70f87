"""What alerts look at, as a test says it is: couriers, windows, and the totals that are written down."""

from dataclasses import dataclass, field

from relay.alerts.watch import Sight
from relay.alerts.watcher import Names
from relay.console.reasons import words
from relay.delivery.pace import Gate
from tests.delivery.clock import Clock


@dataclass
class Courier:
    """As relay.delivery.courier has it."""

    gate: Gate
    is_paused: bool = False
    held_since: int = 0
    last_success: int = 0
    last_error: str | None = None


@dataclass
class Window:
    mark: int = 0


@dataclass
class Consumer:
    courier: Courier
    window: Window = field(default_factory=Window)


class World:
    """`consumers` run; `head` records are admitted; record n was received at `received[n]`, in ms."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.sources: tuple[str, ...] = ("web",)
        self.consumers: dict[str, Consumer] = {}
        self.configured: tuple[str, ...] = ("hook", "mixpanel")
        self.head = 0
        self.received: dict[int, int] = {}
        for name in self.configured:
            self.begin(name)

    def begin(self, name: str) -> None:
        """It starts, as after a restart: nobody knows yet how it is."""
        self.consumers[name] = Consumer(Courier(Gate(8, None, self.clock)), Window(self.head))

    def fail(self, *names: str, reason: str = "503") -> None:
        """It cannot now."""
        for courier in (self.consumers[name].courier for name in names):
            if not courier.gate.is_held:
                courier.held_since = self._now()
            courier.gate.active += 1
            courier.gate.failed(None)
            courier.last_error = reason

    def answer(self, *names: str) -> None:
        """It takes something."""
        for courier in (self.consumers[name].courier for name in names):
            courier.gate.active += 1
            courier.gate.succeeded(0.1)
            courier.last_success, courier.last_error = self._now(), None

    def arrive(self, records: int = 1) -> None:
        """Requests come in now, and nothing is done with them."""
        for _ in range(records):
            self.head += 1
            self.received[self.head] = self._now()

    def catch_up(self, name: str) -> None:
        self.consumers[name].window.mark = self.head

    def names(self) -> Names:
        return Names(self.configured, self.sources)

    def sight(self) -> Sight:
        return Sight(
            lambda: self.consumers,
            lambda: self.head,
            self._received_at,
            words,
            lambda: "http://127.0.0.1:8081",
        )

    async def _received_at(self, after: int) -> int | None:
        return self.received.get(after + 1)

    def _now(self) -> int:
        return int(self.clock() * 1000)
