"""Starts a command with as little of the machine as the kernel can take away, and becomes it.

A file of its own, run as `python -I -S launcher.py PARENT NICE [NAME=VALUE | /FILE]... -- COMMAND...`: it imports
nothing of relay. It executes and does not fork, so its process id is the command's, and its parent reaps it.
PARENT is the process that must live: when it dies, so does the command. Every FILE, and a directory with what
is in it, may be read; nothing else, where the kernel has Landlock. NAME=VALUE is all of the environment.

What is taken away (a layer's name stands on the first line of stderr when it holds):
- `no_new_privs`: no set-user-id program gives anything back
- `landlock`: reading all but the files named, writing, listing, TCP, signals to others
- `seccomp` (x86_64 and aarch64): sockets, processes, signals and limits of others, mounts, modules, tracing, modes
  and names of files. A system call younger than this list does not exist.
- always: own session, `/` as directory, no open files but 0, 1, 2, no core dumps, lower priority

A list of what is denied, not of what is allowed: V8 and glibc use what they like, and differ by version. Exit
code 126: the parent has gone; 127: the command could not be executed.
"""

import ctypes
import os
import resource
import sys
from collections.abc import Iterator, Sequence

OPEN_FILES = 128  # Deno 2.9 panics with 16, runs with 64

PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SIGKILL = 9
EPERM = 1
ENOSYS = 38

# linux/landlock.h; one number on every architecture
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULESET_VERSION = 1
PATH_BENEATH = 1
EXECUTE, READ_FILE, READ_DIR = 1 << 0, 1 << 2, 1 << 3
FILE_RIGHTS = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))  # ABI, what it can deny
NET_RIGHTS = ((4, 0b11),)  # bind, connect
SCOPES = ((6, 0b11),)  # abstract unix sockets, signals

# linux/seccomp.h, linux/bpf_common.h
ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, GREATER, ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data; both machines are little-endian
X32_BIT = 0x40000000  # also the reason why a number above NEWEST is refused
NEWEST = 451  # cachestat, Linux 6.5: what is younger is ENOSYS, which every library is prepared for
CLONE_THREAD = 0x10000
AF_UNIX = 1  # a pair of them: how tokio wakes itself up
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # AUDIT_ARCH, column of the tables below

# name: x86_64, aarch64 (None: not there), from asm/unistd_64.h and asm-generic/unistd.h
DENIED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130),
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "fork": (57, None),
    "vfork": (58, None),
    "execveat": (322, 281),
    # sockets, and what reaches other processes without one
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # the machine
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    "vhangup": (153, 58),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    # files: what Landlock does not know, and what it does, for kernels without it
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rmdir": (84, None),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "creat": (85, None),
    "truncate": (76, 45),
}
MISSING = {
    "clone3": (435, 435),
    "openat2": (437, 437),
}  # their flags are in memory: the older ones are used instead

# allowed when an argument (its place) passes a test of its lower half: equal to one of these numbers
SELF = -1  # stands for the process id
ALLOWED_IF: dict[str, tuple[tuple[int, int], int, tuple[int, ...]]] = {
    "kill": ((62, 129), 0, (SELF,)),
    "tgkill": ((234, 131), 0, (SELF,)),
    "prlimit64": ((302, 261), 0, (0, SELF)),
    "sched_setaffinity": ((203, 122), 0, (0,)),
    "socketpair": ((53, 199), 0, (AF_UNIX,)),
}
Instruction = tuple[int, int, int, int]


class Fprog(ctypes.Structure):
    """Struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class SockFilter(ctypes.Structure):
    """Struct sock_filter."""

    _fields_ = (
        ("code", ctypes.c_ushort),
        ("jt", ctypes.c_ubyte),
        ("jf", ctypes.c_ubyte),
        ("k", ctypes.c_uint32),
    )


class PathBeneath(ctypes.Structure):
    """Struct landlock_path_beneath_attr."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def main(arguments: Sequence[str]) -> None:
    split = arguments.index("--")
    parent, nice, *given = arguments[:split]
    command = list(arguments[split + 1 :])
    files = [one for one in given if one.startswith("/")]
    environment = dict(one.split("=", 1) for one in given if not one.startswith("/"))
    os.setsid()
    os.chdir("/")
    os.nice(int(nice))
    os.closerange(3, 65_536)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    layers = _layers(int(parent), files) if sys.platform == "linux" else []
    os.write(2, f"{' '.join(layers)}\n".encode())
    try:
        os.execve(command[0], command, environment)  # noqa: S606  the purpose of this file
    except OSError as error:
        os.write(2, f"{error.strerror}\n".encode())
        os._exit(127)


def _limit(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _layers(parent: int, files: Sequence[str]) -> list[str]:
    """The names of the layers that hold now."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before it could be followed
        os._exit(126)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return []  # neither of the others works without it
    layers = ["no_new_privs"]
    layers += ["landlock"] if landlock(libc, files) else []
    layers += ["seccomp"] if seccomp(libc) else []
    return layers


def landlock(libc: ctypes.CDLL, files: Sequence[str]) -> bool:
    abi = libc.syscall(CREATE_RULESET, None, 0, RULESET_VERSION)
    if abi < 1:
        return False
    denied = [sum(bits for since, bits in kind if since <= abi) for kind in (FILE_RIGHTS, NET_RIGHTS, SCOPES)]
    attributes = (ctypes.c_uint64 * 3)(*denied)
    size = 8 * (1 + (abi >= NET_RIGHTS[0][0]) + (abi >= SCOPES[0][0]))
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(attributes), size, 0)
    if ruleset < 0:
        return False
    if not all(_readable(libc, ruleset, path) for path in files):
        return False
    is_held: bool = libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return is_held


def _readable(libc: ctypes.CDLL, ruleset: int, path: str) -> bool:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rights = EXECUTE | READ_FILE | (READ_DIR if os.path.isdir(path) else 0)  # noqa: PTH112  no pathlib: start-up time
    rule = PathBeneath(rights, descriptor)
    is_added: bool = libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0) == 0
    os.close(descriptor)
    return is_added


def seccomp(libc: ctypes.CDLL) -> bool:
    machine = os.uname().machine
    if machine not in MACHINES:
        return False
    program = list(instructions(machine, os.getpid()))
    array = (SockFilter * len(program))(*(SockFilter(*one) for one in program))
    fprog = Fprog(len(program), ctypes.cast(array, ctypes.c_void_p))
    mode_filter = 2
    is_held: bool = libc.prctl(PR_SET_SECCOMP, mode_filter, ctypes.byref(fprog), 0, 0) == 0
    return is_held


def instructions(machine: str, pid: int) -> Iterator[Instruction]:
    """The filter. A test that fails jumps over what follows it."""
    architecture, column = MACHINES[machine]
    yield LOAD, 0, 0, ARCHITECTURE
    yield EQUAL, 1, 0, architecture
    yield RETURN, 0, 0, KILL_PROCESS
    yield LOAD, 0, 0, NUMBER
    yield from _refused_above(NEWEST)
    for numbers, error in [*((n, EPERM) for n in DENIED.values()), *((n, ENOSYS) for n in MISSING.values())]:
        number = numbers[column]
        if number is not None:
            yield EQUAL, 0, 1, number
            yield RETURN, 0, 0, ERRNO | error
    yield from _allowed_only_with_bit((56, 220)[column], 0, CLONE_THREAD)  # clone: threads, no processes
    for both, place, values in ALLOWED_IF.values():
        yield from _allowed_only_with(both[column], place, [pid if v == SELF else v for v in values])
    if column == 0:
        yield from _refused_with_bit(2, 1, WRITES)  # open
    yield from _refused_with_bit((257, 56)[column], 2, WRITES)  # openat
    yield RETURN, 0, 0, ALLOW


def _refused_above(number: int) -> Iterator[Instruction]:
    yield GREATER, 0, 1, number
    yield RETURN, 0, 0, ERRNO | ENOSYS


def _allowed_only_with(number: int, place: int, values: Sequence[int]) -> Iterator[Instruction]:
    yield EQUAL, 0, len(values) + 3, number
    yield LOAD, 0, 0, ARGUMENT + 8 * place
    for left, value in zip(range(len(values), 0, -1), values, strict=True):
        yield EQUAL, left, 0, value
    yield RETURN, 0, 0, ERRNO | EPERM
    yield RETURN, 0, 0, ALLOW


def _allowed_only_with_bit(number: int, place: int, bits: int) -> Iterator[Instruction]:
    yield EQUAL, 0, 4, number
    yield LOAD, 0, 0, ARGUMENT + 8 * place
    yield ANY_BIT, 1, 0, bits
    yield RETURN, 0, 0, ERRNO | EPERM
    yield RETURN, 0, 0, ALLOW


def _refused_with_bit(number: int, place: int, bits: int) -> Iterator[Instruction]:
    yield EQUAL, 0, 4, number
    yield LOAD, 0, 0, ARGUMENT + 8 * place
    yield ANY_BIT, 0, 1, bits
    yield RETURN, 0, 0, ERRNO | EPERM
    yield RETURN, 0, 0, ALLOW


if __name__ == "__main__":
    main(sys.argv[1:])
