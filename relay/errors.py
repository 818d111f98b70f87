"""What can go wrong, as one tree, named by what happens next.

RelayError
├── ConfigError          the operator must edit relay.toml; never retried
├── EventRejected        this event can never be accepted; the sender is told why
├── LogUnavailable       nothing can be kept at the moment; the sender is asked to try again
└── DataDirectoryError   the data directory is in use, too new or not ours; nothing is touched
"""


class RelayError(Exception):
    """Anything relay explains to a person in one sentence, without a stack trace."""


class ConfigError(RelayError):
    """The configuration is wrong. `problems` are lines `file:line: what`, every mistake at once."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class EventRejected(RelayError):
    """An event that can never be accepted. `code` is the slug of the discard reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LogUnavailable(RelayError):
    """Nothing can be kept now. `after_seconds`: when trying again makes sense (whole seconds)."""

    def __init__(self, reason: str, after_seconds: int = 2) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds


class DataDirectoryError(RelayError):
    """The data directory cannot be used: in use by another relay, written by a newer one, unreadable."""
