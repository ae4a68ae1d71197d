"""Calls of the system that a process can do without, refused by the kernel from then on (seccomp; Linux only).

A worker reads files and computes. It opens no connection, starts no program and looks into no other process, so code
that takes over a decoder shall not be able to either. Sockets of the machine itself stay, as does everything that
libraries need: this closes a few doors and is no sandbox.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # BPF: a word of seccomp_data, two jumps, the verdict
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_SET_FILTER = 1
_ALL_THREADS_AND_NO_SLOWER = 1 | 4
_FOREIGN_CALLS_FROM = 0x40000000
"""x32 calls on x86-64 begin here: the same calls under other numbers."""
_UNIX_SOCKETS = 1


@dataclass(frozen=True, slots=True)
class _Machine:
    """Numbers of calls on one architecture, as in the kernel's tables.

    ``ring`` is io_uring_setup, which opens sockets too; ``others`` are execve, execveat, ptrace, process_vm_readv and
    process_vm_writev.
    """

    architecture: int
    seccomp: int
    socket: int
    ring: int
    others: tuple[int, ...]


_MACHINES: Mapping[str, _Machine] = {
    "x86_64": _Machine(0xC000003E, 317, 41, 425, (59, 322, 101, 310, 311)),
    "aarch64": _Machine(0xC00000B7, 277, 198, 425, (221, 281, 117, 270, 271)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_calls(*, connections_only: bool = False) -> bool:
    """Has the kernel refuse connections, new programs and looks into other processes, for good.

    The process must have given up new privileges before. A refused call fails with ``EPERM``, in every thread and in
    every process that this one starts.

    Args:
        connections_only: Whether the other calls stay.

    Returns:
        Whether the kernel agreed; False on systems and machines where this is not known.
    """
    machine = _MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if machine is None:
        return False
    code = _filter(machine, (machine.ring, *(() if connections_only else machine.others)))
    program = _Program(len(code) // 8, code)
    library = ctypes.CDLL(None, use_errno=True)
    return bool(library.syscall(machine.seccomp, _SET_FILTER, _ALL_THREADS_AND_NO_SLOWER, ctypes.byref(program)) == 0)


def _filter(machine: _Machine, refused: Sequence[int]) -> bytes:
    """The BPF program: eight bytes an instruction."""
    last = len(refused) + 7  # where the verdicts stand: refuse, then allow
    steps: list[tuple[int, int, int, int]] = [(_LOAD, 0, 0, _ARCHITECTURE_AT)]

    def jump(kind: int, value: int, yes: int | None, no: int | None) -> None:
        here = len(steps) + 1
        steps.append((kind, 0 if yes is None else yes - here, 0 if no is None else no - here, value))

    jump(_EQUAL, machine.architecture, None, last)
    steps.append((_LOAD, 0, 0, _NUMBER_AT))
    jump(_AT_LEAST, _FOREIGN_CALLS_FROM, last, None)
    for number in refused:
        jump(_EQUAL, number, last, None)
    jump(_EQUAL, machine.socket, None, last + 1)
    steps.append((_LOAD, 0, 0, _FIRST_ARGUMENT_AT))
    jump(_EQUAL, _UNIX_SOCKETS, last + 1, last)
    steps += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("<HBBI", *step) for step in steps)
