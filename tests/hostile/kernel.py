"""What a command and everything that it starts ask the kernel for: connections, and files opened for writing.

Linux passes the calls named here to this process before it makes them (seccomp user notifications), C code's as well as
Python's, and those of every thread and child. No tool has to be installed and no privilege is needed. Commands confine
themselves with filters of the same kind, which would hide what is tried: unless told otherwise, those are taken for
granted and not installed.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

# By architecture: its number, that of the call seccomp, and the calls looked at. What takes a path names where in the
# arguments its folder and its path stand; a call of the older kind has no folder.
_CALLS: Mapping[str, tuple[int, int, Mapping[int, tuple[str, int | None, int]]]] = {
    "x86_64": (
        0xC000003E,
        317,
        {
            41: ("socket", None, 0), 42: ("connect", None, 1), 44: ("sendto", None, 4), 46: ("sendmsg", None, 1),
            49: ("bind", None, 1), 307: ("sendmmsg", None, 1), 425: ("io_uring_setup", None, 0),
            2: ("open", None, 0), 85: ("creat", None, 0), 257: ("openat", 0, 1), 437: ("openat2", 0, 1),
            83: ("mkdir", None, 0), 258: ("mkdirat", 0, 1), 133: ("mknod", None, 0), 259: ("mknodat", 0, 1),
            82: ("rename", None, 1), 264: ("renameat", 2, 3), 316: ("renameat2", 2, 3), 86: ("link", None, 1),
            265: ("linkat", 2, 3), 88: ("symlink", None, 1), 266: ("symlinkat", 1, 2), 76: ("truncate", None, 0),
        },
    ),
    "aarch64": (
        0xC00000B7,
        277,
        {
            198: ("socket", None, 0), 203: ("connect", None, 1), 206: ("sendto", None, 4), 211: ("sendmsg", None, 1),
            200: ("bind", None, 1), 269: ("sendmmsg", None, 1), 425: ("io_uring_setup", None, 0),
            56: ("openat", 0, 1), 437: ("openat2", 0, 1), 34: ("mkdirat", 0, 1), 33: ("mknodat", 0, 1),
            38: ("renameat", 2, 3), 276: ("renameat2", 2, 3), 37: ("linkat", 2, 3), 36: ("symlinkat", 1, 2),
            45: ("truncate", None, 0),
        },
    ),
}  # fmt: skip
_OPEN_FLAGS = {"open": 1, "openat": 2}
_LOAD, _EQUAL, _SOME_BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_NEW_LISTENER = 8
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_GO_ON = 1
_CHANNEL = 900
"""The number of the descriptor over which the child sends the listener; sending on it is not looked at."""

SUPPORTED = sys.platform == "linux" and platform.machine() in _CALLS


@dataclass(frozen=True, order=True)
class Call:
    """One call: its name, and its path, address or family of addresses."""

    name: str
    about: str
    program: str = field(compare=False)


@dataclass
class Trace:
    """What a command did.

    Attributes:
        command: Its words.
        code: Exit code.
        out: Standard output.
        err: Standard error.
        network: Sockets that are none of this machine's own, and where they were to lead.
        written: Absolute paths that were opened for writing, made, or given to something.
    """

    command: str
    code: int = -1
    out: str = ""
    err: str = ""
    network: list[Call] = field(default_factory=list)
    written: list[Call] = field(default_factory=list)

    def outside(self, *folders: Path) -> list[Call]:
        """What was written elsewhere than in these folders and where nothing stays: devices, pipes, shared memory."""
        fleeting = ("/dev/null", "/dev/tty", "/dev/shm/", "/proc/", "pipe:", "/memfd:")
        return [
            call for call in self.written if not call.about.startswith(fleeting) and not _below(call.about, folders)
        ]

    def contacts(self, *folders: Path, loopback: bool = False) -> list[Call]:
        """Whom it tried to reach: all but sockets in these folders, and the C library's question who the user is.

        Args:
            folders: Where processes of the command meet.
            loopback: Whether they may also do so over the machine's own addresses, and ask the kernel for those.
        """
        return [
            call
            for call in self.network
            if call.about != _USERS
            and not (call.about.startswith("unix /") and _below(call.about.removeprefix("unix "), folders))
            and not (loopback and (call.about.startswith(_LOOPBACK) or call.about in _KINDS))
        ]


_USERS = "unix /var/run/nscd/socket"
_LOOPBACK = ("127.", "[::1]:", "[::ffff:127.")
_KINDS = ("AF_INET", "AF_INET6", "AF_NETLINK", "family 16")


def _below(path: str, folders: Sequence[Path]) -> bool:
    real = [os.path.realpath(folder) for folder in folders]
    return any(os.path.commonpath([path, folder]) == folder for folder in real)


def traced(command: Sequence[object], environment: Mapping[str, str], folder: Path, *, confined: bool = False) -> Trace:
    """Runs a command to the end of all its processes.

    Args:
        command: Its words.
        environment: All of its environment.
        folder: Where it runs.
        confined: Whether it may install filters of its own; what they refuse is not seen.
    """
    ours, theirs = socket.socketpair()
    words = [os.fspath(one) if isinstance(one, Path) else str(one) for one in command]
    done = Trace(" ".join(words))
    with ours, theirs:
        looking = threading.Thread(target=_watch, args=(ours, done, confined), daemon=True)
        looking.start()
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(environment),
            cwd=folder, preexec_fn=partial(_look_at_me, theirs.fileno()),
        )  # fmt: skip
        out, err = process.communicate(timeout=500)
        done.code, done.out, done.err = process.returncode, out.decode(errors="replace"), err.decode(errors="replace")
        looking.join(60)
    assert not looking.is_alive(), "a process that the command started is still running"
    return done


def _look_at_me(channel: int) -> None:
    """In the child, before the command: installs the filter and sends the listener."""
    os.dup2(channel, _CHANNEL)
    library = ctypes.CDLL(None, use_errno=True)
    architecture, seccomp, calls = _CALLS[platform.machine()]
    code = _filter(architecture, seccomp, calls)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    library.prctl(38, ctypes.c_ulong(1), 0, 0, 0)
    listener = library.syscall(seccomp, 1, _NEW_LISTENER, program)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "the kernel does not pass calls on")
    with socket.socket(fileno=_CHANNEL) as sending:
        socket.send_fds(sending, [b"x"], [listener])
    os.close(listener)


def _filter(architecture: int, seccomp: int, calls: Mapping[int, tuple[str, int | None, int]]) -> bytes:
    """The BPF program: what it passes on, and of the calls that open a file only those for writing."""

    def step(kind: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("<HBBI", kind, yes, no, value)

    steps = [step(_LOAD, 4), step(_EQUAL, architecture, 1, 0), step(_RETURN, _ALLOW), step(_LOAD, 0)]
    steps += [step(_EQUAL, seccomp, 0, 1), step(_RETURN, _NOTIFY)]
    for number, (name, _, _) in calls.items():
        if name in _OPEN_FLAGS:
            inner = [step(_LOAD, 16 + 8 * _OPEN_FLAGS[name]), step(_SOME_BITS, WRITES, 0, 1)]
        elif name == "sendmsg":
            inner = [step(_LOAD, 16), step(_EQUAL, _CHANNEL, 1, 0)]
        else:
            inner = []
        inner += [step(_RETURN, _NOTIFY), step(_RETURN, _ALLOW)]
        steps += [step(_EQUAL, number, 0, len(inner)), *inner]
    return b"".join([*steps, step(_RETURN, _ALLOW)])


def _watch(channel: socket.socket, done: Trace, confined: bool) -> None:
    _, (listener,), _, _ = socket.recv_fds(channel, 1, 1)
    asked = select.poll()
    asked.register(listener, select.POLLIN)
    try:
        while True:
            if any(event & select.POLLHUP for _, event in asked.poll()):
                return
            notice = bytearray(80)
            try:
                fcntl.ioctl(listener, _RECEIVE, notice)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR):  # its caller ended, or was interrupted
                    continue
                raise
            number, process, _, call, _, _, *arguments = struct.unpack("<QIIiIQ6Q", notice)
            _, seccomp, calls = _CALLS[platform.machine()]
            granted = call == seccomp and not confined
            if call != seccomp:
                with suppress(OSError):  # it has just been killed
                    _note(done, process, calls[call], arguments)
            with suppress(FileNotFoundError):
                fcntl.ioctl(listener, _SEND, struct.pack("<QqiI", number, 0, 0, 0 if granted else _GO_ON))
    finally:
        os.close(listener)


def _note(done: Trace, process: int, call: tuple[str, int | None, int], arguments: Sequence[int]) -> None:
    name, base, place = call
    program = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200]
    if name == "io_uring_setup":
        done.network.append(Call(name, "", program))
    elif name == "socket":
        if arguments[0] != AF_UNIX:
            done.network.append(Call(name, str(socket.AddressFamily(arguments[0]).name), program))
    elif name in ("connect", "bind", "sendto", "sendmsg", "sendmmsg"):
        at, length = arguments[place], arguments[place + 1]
        if name in ("sendmsg", "sendmmsg"):
            at, length = struct.unpack("<QI", _memory(process, at, 12))
        if at and (where := _address(_memory(process, at, min(length & 0xFFFFFFFF, 128)))):
            done.network.append(Call(name, where, program))
    else:
        if name == "openat2" and not struct.unpack("<Q", _memory(process, arguments[2], 8))[0] & WRITES:
            return
        path = _path(process, None if base is None else arguments[base], arguments[place])
        makes = name not in _OPEN_FLAGS or arguments[_OPEN_FLAGS[name]] & os.O_CREAT
        if makes or os.path.exists(path):  # noqa: PTH110 - what is not there and not made is not written either
            done.written.append(Call(name, path, program))


def _memory(process: int, at: int, length: int) -> bytes:
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:  # noqa: PTH123
        memory.seek(at)
        return memory.read(length)


def _path(process: int, base: int | None, at: int) -> str:
    raw = b""
    while b"\0" not in raw and len(raw) < 4096:
        raw += _memory(process, at + len(raw), 256 - (at + len(raw)) % 256)
    named = os.fsdecode(raw.split(b"\0")[0])
    number = ctypes.c_int(base & 0xFFFFFFFF).value if base is not None else -100
    root = f"/proc/{process}/cwd" if number == -100 else f"/proc/{process}/fd/{number}"
    path = named if named.startswith("/") else os.path.join(os.readlink(root), named)  # noqa: PTH115, PTH118
    for own in ("/proc/self/", "/proc/thread-self/"):
        if path.startswith(own):
            return f"/proc/{process}/" + path.removeprefix(own)
    folder, last = os.path.split(path)
    return os.path.join(os.path.realpath(folder), last)  # noqa: PTH118


def _address(raw: bytes) -> str:
    family = int.from_bytes(raw[:2], sys.byteorder)
    if family == AF_UNIX:
        name = raw[2:].rstrip(b"\0")
        return f"unix {os.fsdecode(name.split(bytes(1))[0])}" if name and raw[2] else ""
    if family == AF_INET:
        return f"{socket.inet_ntop(socket.AF_INET, raw[4:8])}:{int.from_bytes(raw[2:4], 'big')}"
    if family == AF_INET6:
        return f"[{socket.inet_ntop(socket.AF_INET6, raw[8:24])}]:{int.from_bytes(raw[2:4], 'big')}"
    return f"family {family}"
