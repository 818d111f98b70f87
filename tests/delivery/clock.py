"""Time that a test moves by hand."""


class Clock:
    """Seconds; stands still until it is moved."""

    def __init__(self, at: float = 1_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += seconds
