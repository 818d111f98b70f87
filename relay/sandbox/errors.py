"""What can come of a call, named by what happens next.

SandboxError
├── NotInstalled   the operator installs Deno; nothing was started
├── Thrown         the code said no, in its own words
├── TimedOut       the code took longer than it may; it was run alone if it held others up
├── Crashed        the child ended with the call in it, the second time alone
└── TooLarge       the message is over the limit of a frame; nothing was sent
"""

import enum

import msgspec

from relay.errors import RelayError


class Reason(enum.StrEnum):
    """Why a child is no more."""

    EXITED = "exited"  # by itself, whatever its exit code
    MEMORY = "memory"
    BLOCKED = "blocked"  # it no longer answers
    FRAME = "frame"  # it sent what is no frame, or too large a one
    STOPPED = "stopped"  # by relay: nobody needs it


class SandboxError(RelayError):
    """Something about code that is not relay's own."""


class NotInstalled(SandboxError):
    """Deno is not there. `what` needs it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} needs Deno: pip install 'relay[integrations]'")


class Report(msgspec.Struct, frozen=True):
    """An error as the child describes it; all but the name may be absent."""

    name: str = "Error"
    message: str = ""
    code: str | int | float | None = None
    status: int | float | None = None
    stack: str = ""


class Thrown(SandboxError):
    """The code threw. Message and stack are its author's: they may hold values of events."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.message)
        self.report = report


class TimedOut(SandboxError):
    """The call did not end in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"took longer than {seconds:g} s")


class Crashed(SandboxError):
    """The child ended while the call was in it, or before it was ready: `detail` is then what it said last."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"the process that ran it ended ({reason})" + (f": {detail}" if detail else ""))
        self.reason = reason


class TooLarge(SandboxError):
    """A message that does not fit into a frame."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"{size} bytes, {most} are allowed")
