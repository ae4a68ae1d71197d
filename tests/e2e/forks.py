"""The installed command in forks of a process that has loaded its modules: without the second that loading takes.

Each run is a process of its own with its own arguments, streams, environment, folder and exit code, begins at the
command's entry point and has nothing of an earlier run: only modules are loaded before. The server from which its
workers are forked is such a fork too. What depends on how the interpreter starts is not for this (see ``fits``).
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import logging
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from multiprocessing import util
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("nsfwforensics")
ROOT = Path(__file__).resolve().parents[2]

_FREE = ("NSFWFORENSICS_", "XDG_", "HOME", "COLUMNS", "TMPDIR", "PYTEST_", "PYTHONPATH", "PYTHONIOENCODING")
"""Variables that nothing reads while modules are loaded, but for what ``_begin`` does again."""

_CUSTOM = ("sitecustomize.py", "usercustomize.py")
"""What the interpreter runs when it starts."""

_LEFT_OUT = (
    "nsfwforensics.__main__",
    "nsfwforensics.execution.preload",
    "nsfwforensics.execution.preloaded",
    "nsfwforensics.models.faces.vggface2",
    "nsfwforensics.models.onnx_session",
)
"""Modules that do something when they are loaded, or load what hardly a command needs."""

_MESSAGE = 1 << 18

_HOMES: list[Any] = []
"""The modules that took a note of the home folder when they were loaded."""


class Forks:
    """The process that has loaded the modules, and what it is asked for."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        self._before = _interpreter(os.environ)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from tests.e2e.forks import serve; serve({theirs.fileno()})"],
                pass_fds=[theirs.fileno()], cwd=ROOT, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    @staticmethod
    def possible() -> bool:
        """Whether this system can, and nobody asked for the command itself (``NSFWFORENSICS_TESTS_INSTALLED``)."""
        return sys.platform == "linux" and not os.environ.get("NSFWFORENSICS_TESTS_INSTALLED")

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether a run with these variables is the same in a fork: nothing differs that matters at the start.

        Args:
            environment: All variables of the run.
        """
        added = [Path(place) for place in _added(environment)]
        custom = any((place / name).exists() for place in added for name in _CUSTOM)
        return not custom and _interpreter(environment) == self._before

    def run(
        self, arguments: Sequence[str], stdin: bytes, environment: Mapping[str, str], timeout: float, umask: int = -1
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs the command and waits for it, as ``subprocess.run`` does.

        Args:
            arguments: What follows its name.
            stdin: What it is given to read.
            environment: All of its variables.
            timeout: Seconds after which it is killed.
            umask: What it is not to allow when it makes files; -1 for the same as here.

        Raises:
            subprocess.TimeoutExpired: It took longer.
        """
        pipes = [os.pipe() for _ in range(4)]
        (stdin_read, stdin_write), (out_read, out_write), (err_read, err_write), (said_read, said_write) = pipes
        request = {
            "argv": [str(COMMAND), *arguments],
            "environment": dict(environment),
            "folder": str(Path.cwd()),
            "umask": umask if umask >= 0 else _umask(),
        }
        theirs = [stdin_read, out_write, err_write, said_write]
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], theirs)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        with ThreadPoolExecutor(4) as together:
            out, err = together.submit(_all_of, out_read), together.submit(_all_of, err_read)
            together.submit(_give, stdin_write, stdin)
            with os.fdopen(said_read) as said:
                process = int(said.readline())
                try:
                    code = together.submit(said.readline).result(timeout)
                except TimeoutError:
                    os.kill(process, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(request["argv"], timeout) from None
            return subprocess.CompletedProcess(request["argv"], int(code), out.result(), err.result())

    def close(self) -> None:
        """Ends the process."""
        self._control.close()
        self._process.wait()


def _interpreter(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that may matter to how the interpreter and the libraries start."""
    return {name: value for name, value in environment.items() if not name.startswith(_FREE)}


def _added(environment: Mapping[str, str]) -> list[str]:
    """What the environment puts in front of the module search path that is not there anyway."""
    return [place for place in environment.get("PYTHONPATH", "").split(os.pathsep) if place and place not in sys.path]


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _all_of(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def _give(descriptor: int, data: bytes) -> None:
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
    except BrokenPipeError:  # nobody reads it
        pass


# --- in the process that has loaded the modules


def serve(control: int) -> None:
    """Loads the modules, and forks for each request until the other end is closed.

    Args:
        control: The number of the socket that requests come from.
    """
    from nsfwforensics.threads import one_thread_each

    given = dict(os.environ)
    one_thread_each()
    _load()
    os.environ.clear()
    os.environ.update(given)
    (entry,) = entry_points(group="console_scripts", name="nsfwforensics")
    main = entry.load()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ours = [module for name, module in sys.modules.items() if name.startswith("nsfwforensics.")]
    _HOMES.extend(module for module in ours if hasattr(module, "USERS_HOME"))
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=control) as requests:
        while True:
            message, given_here, _, _ = socket.recv_fds(requests, _MESSAGE, 4)
            if not message:
                return
            if os.fork() == 0:
                requests.close()
                _watch(json.loads(message), given_here, main)
            for descriptor in given_here:
                os.close(descriptor)
            while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG):
                pass


def _load() -> None:
    import nsfwforensics

    for found in pkgutil.walk_packages(nsfwforensics.__path__, "nsfwforensics."):
        if found.name not in _LEFT_OUT:
            try:
                importlib.import_module(found.name)
            except ImportError:  # an extra that is not installed
                continue
    for name in ("forkserver", "popen_forkserver", "resource_tracker"):
        importlib.import_module(f"multiprocessing.{name}")
    for name in ("Bmp", "Gif", "Jpeg", "Png", "Tiff", "WebP"):
        importlib.import_module(f"PIL.{name}ImagePlugin")


def _watch(request: dict[str, Any], given: list[int], main: Any) -> None:
    """Forks the command, says its number, waits for it and says how it ended."""
    *streams, said = given
    process = os.fork()
    if process == 0:
        os.close(said)
        _begin(request, streams, main)
    for descriptor in streams:
        os.close(descriptor)
    os.write(said, b"%d\n" % process)
    os.write(said, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    os._exit(0)


def _begin(request: dict[str, Any], streams: list[int], main: Any) -> None:
    """In the fork: becomes what the shell would have started."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    os.umask(request["umask"])
    sys.path[:1] = [str(COMMAND.parent), *_added(os.environ)]
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _streams()
    atexit._clear()  # what is left of the libraries' own is for processes that used them
    weakref.finalize._registered_with_atexit = False  # type: ignore[attr-defined]
    for module in _HOMES:
        module.USERS_HOME = Path(os.path.expanduser("~"))  # noqa: PTH111 - as the module does
    tempfile.tempdir = None
    sys.argv = request["argv"]
    _Waiting().stands_in()
    _end(main)


def _streams() -> None:
    """Opens the standard streams as the interpreter does."""
    named, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    encoding = named or sys.__stdout__.encoding  # type: ignore[union-attr]
    sys.stdin = open(0, encoding=encoding, errors=errors or None, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=encoding, errors=errors or None, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding=encoding, errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


def _end(main: Any) -> None:
    """Calls and ends as the interpreter does, but for taking itself apart."""
    code: Any = 0
    try:
        main()
    except SystemExit as asked:
        code = asked.code
        if not isinstance(code, int | None):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    util._exit_function()  # type: ignore[attr-defined]  # loaded before the command began, but to be called first
    atexit._run_exitfuncs()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 120
    os._exit((code or 0) & 0xFF)


class _Waiting:
    """A fork of the command before it began, which becomes the server of its workers where it needs one."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process: int | None = os.fork()
        if self._process == 0:
            self._socket.close()
            self._wait(theirs)
        theirs.close()

    def stands_in(self) -> None:
        """Has what multiprocessing would start as a new interpreter be this."""
        start = util.spawnv_passfds

        def started(path: Any, arguments: Any, descriptors: Any) -> int:
            code = os.fsdecode(arguments[-1])
            if code.startswith("from multiprocessing.forkserver import") and self._process is not None:
                return self._become(code, [*descriptors])
            return start(path, arguments, descriptors)

        util.spawnv_passfds = started

    def _become(self, code: str, descriptors: list[int]) -> int:
        order = {
            "code": code,
            "environment": dict(os.environ),
            "folder": str(Path.cwd()),
            "numbers": descriptors,
            "umask": _umask(),
            "held": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        }
        socket.send_fds(self._socket, [json.dumps(order).encode()], descriptors)
        self._socket.close()
        process, self._process = self._process, None
        assert process is not None
        return process

    @staticmethod
    def _wait(orders: socket.socket) -> None:
        message, given, _, _ = socket.recv_fds(orders, _MESSAGE, 8)
        if not message:
            os._exit(0)
        order = json.loads(message)
        safe = 64 + max(*order["numbers"], *given)
        moved = [os.dup2(descriptor, safe + place) for place, descriptor in enumerate(given)]
        os.closerange(3, safe)
        for descriptor, number in zip(moved, order["numbers"], strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
        gc.freeze()
        os.chdir(order["folder"])
        os.umask(order["umask"])
        os.environ.clear()
        os.environ.update(order["environment"])
        signal.pthread_sigmask(signal.SIG_SETMASK, order["held"])
        try:
            exec(order["code"], {"__name__": "__main__"})  # what multiprocessing would have given to python -c
        finally:
            os._exit(0)
