"""What a process uses, as Linux says in /proc. Elsewhere, and of a process that has gone, nothing is known."""

import os
from pathlib import Path

PAGE = os.sysconf("SC_PAGESIZE")
TICKS = os.sysconf("SC_CLK_TCK")  # a second
CPU_FIELDS = slice(11, 13)  # user and system time, counted from the field after the command's name


def _read(pid: int, name: str) -> str | None:
    try:
        return Path(f"/proc/{pid}/{name}").read_text("ascii", "replace")
    except OSError:
        return None


def resident_bytes(pid: int) -> int:
    text = _read(pid, "statm")
    return int(text.split()[1]) * PAGE if text else 0


def cpu_seconds(pid: int) -> float | None:
    text = _read(pid, "stat")
    if not text:
        return None
    fields = text.rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[CPU_FIELDS]) / TICKS


def data_bytes(pid: int) -> int | None:
    """What RLIMIT_DATA counts."""
    for line in (_read(pid, "status") or "").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return None
