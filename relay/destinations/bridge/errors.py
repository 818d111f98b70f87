"""What can go wrong with the bridge's package, as sentences."""

from relay.errors import RelayError


class NotInstalled(RelayError):
    """It is not there, or not whole: the operator installs it."""


class CannotInstall(RelayError):
    """Installing stopped; nothing of it is used. The sentence says what to do."""
