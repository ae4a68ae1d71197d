"""Running the installed command while somebody looks: at its memory, its files, its connections."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.conftest import COMMAND

GUARD = '''
"""Loaded by every Python process of the command: notes who opens a connection, and to where."""
import os
import sys

def _watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        if event.startswith("socket.get") or arguments[0].family != 1:
            with open(os.environ["GUARD_LOG"], "a") as log:
                log.write(f"{event} {arguments[1:]}\\n")
    if event in ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen"):
        with open(os.environ["GUARD_LOG"], "a") as log:
            log.write(f"{event} {arguments[:2]}\\n")

sys.addaudithook(_watch)
'''


@dataclass
class Watched:
    """What a command did.

    Attributes:
        code: Exit code.
        out: Standard output.
        err: Standard error.
        seconds: Wall time.
        data: By process, the most memory for data that it had, in bytes.
        resident: By process, the most memory that it had, in bytes.
        main: The number of the main process.
        contacts: Connections that were tried, programs that were started.
    """

    code: int
    out: bytes
    err: bytes
    seconds: float
    main: int
    data: dict[int, int] = field(default_factory=dict)
    resident: dict[int, int] = field(default_factory=dict)
    contacts: list[str] = field(default_factory=list)


def watched(place: Path, *arguments: object, stdin: bytes = b"", **environment: str) -> Watched:
    """Runs the command in a place of its own, with its own home and temporary folder inside it."""
    for name in ("home", "tmp", "cwd", "guard"):
        (place / name).mkdir(exist_ok=True)
    (place / "guard" / "sitecustomize.py").write_text(GUARD)
    log = place / "guard" / "log"
    log.touch()
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("NSFWFORENSICS_")}
        variables = inherited | dict.fromkeys(names, url) | {
            "HOME": str(place / "home"), "XDG_CONFIG_HOME": str(place / "home"), "TMPDIR": str(place / "tmp"),
            "COLUMNS": "80", "PYTHONPATH": str(place / "guard"), "GUARD_LOG": str(log), **environment,
        }  # fmt: skip
        started = time.monotonic()
        process = subprocess.Popen(
            [os.fsencode(COMMAND), *(os.fsencode(one) if isinstance(one, Path) else str(one) for one in arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=variables, cwd=place / "cwd",
        )  # fmt: skip
        done = Watched(-1, b"", b"", 0.0, process.pid)
        looking = threading.Thread(target=_look, args=(process, done), daemon=True)
        looking.start()
        done.out, done.err = process.communicate(stdin, timeout=500)
        done.code, done.seconds = process.returncode, time.monotonic() - started
        looking.join()
        done.contacts = log.read_text().splitlines()
        proxy.settimeout(0.05)
        try:
            proxy.accept()
        except TimeoutError:
            return done
        done.contacts.append("a connection to the proxy")
    return done


def _look(process: subprocess.Popen[bytes], done: Watched) -> None:
    while process.poll() is None:
        try:
            main = psutil.Process(process.pid)
            for one in (main, *main.children(recursive=True)):
                text = Path(f"/proc/{one.pid}/status").read_text()
                lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
                for name, kept in (("VmData", done.data), ("VmHWM", done.resident)):
                    kept[one.pid] = max(kept.get(one.pid, 0), int(lines.get(name, "0 kB").split()[0]) * 1024)
        except (psutil.Error, OSError):
            pass
        time.sleep(0.05)


def snapshot(folder: Path) -> dict[bytes, tuple[Any, ...]]:
    """Every entry below a folder: kind, size, time of change, digest."""
    found: dict[bytes, tuple[Any, ...]] = {}
    for base, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files):
            path = os.path.join(base, name)  # noqa: PTH118 - names that are no text
            info = os.lstat(path)
            digest = None
            if stat.S_ISREG(info.st_mode) and info.st_size < 1 << 30 and os.access(path, os.R_OK):
                with open(path, "rb") as stream:  # noqa: PTH123
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
            changed = info.st_mtime_ns if not stat.S_ISDIR(info.st_mode) else 0
            found[path] = (stat.S_IFMT(info.st_mode), info.st_size if digest else 0, changed, digest)
    return found


def entries(report: Path) -> dict[str, dict[str, Any]]:
    """The files of a written report by their names."""
    document = json.loads((report / "report.json").read_text("utf-8"))
    assert json.loads((report / "report.json").read_bytes().decode("utf-8", "strict")) == document
    return {file["info"]["name"]: file for file in document["files"]}
