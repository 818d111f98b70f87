"""What can go wrong with the bridge's package, as sentences."""

from relay.errors import RelayError
from relay.sandbox.errors import SandboxError


class NotInstalled(RelayError):
    """It is not there, or not whole: the operator installs it."""


class CannotInstall(RelayError):
    """Installing stopped; nothing of it is used. The sentence says what to do."""


class NoPlace(SandboxError):
    """No child took a call: all are busy, or none can be started. `last_crash` is what the youngest died of."""

    def __init__(self, seconds: float, last_crash: str) -> None:
        why = f": {last_crash}" if last_crash else ""
        super().__init__(f"no child process was free within {seconds:g} s{why}")
