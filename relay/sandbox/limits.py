"""What a child may use. The room that starts it decides: a bridge is given more than a user's function."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` and `in_flight` are of calls; the rest is of the process."""

    seconds: float  # a call, with all it waits for
    memory_bytes: (
        int  # data segment, over what the process has when it is ready (V8 reserves 546 MB of it at start)
    )
    rss_bytes: int  # resident: watched, since V8 maps some memory in ways that the data limit does not see
    heap_mb: int  # V8's old space: over it the process aborts
    in_flight: int = 16
    frame_bytes: int = 4 * 1024 * 1024
    blocked_seconds: float = 0.5  # CPU time without an answer to a ping, while other calls wait beside
    nice: int = 10  # with two endless loops on two cores: p99 of a neighbour 2.5 ms, with 0 it was 4.4 ms
