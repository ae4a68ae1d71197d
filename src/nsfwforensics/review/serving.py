"""Listening on this machine alone, and serving one desk until the terminal ends it."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nsfwforensics.core.private import FILE
from nsfwforensics.errors import UsageError
from nsfwforensics.review.app import Reviewing

if TYPE_CHECKING:
    import uvicorn

ADDRESS = "127.0.0.1"

SECONDS_FOR_LAST = 3
"""How long a request that is being answered when the command ends may still take."""


@contextmanager
def listening(path: Path | None) -> Iterator[tuple[socket.socket, str | None]]:
    """Opens the one socket of the page: on a free port of this machine's own address, or at a path.

    Args:
        path: Of a socket for a forwarded connection, which only its owner may open; None for a port.

    Yields:
        The socket, and what a browser names as the host; None at a path.

    Raises:
        UsageError: Something is at the path, or no socket can be made there.
    """
    if path is None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
            made.bind((ADDRESS, 0))
            made.listen(64)
            yield made, f"{ADDRESS}:{made.getsockname()[1]}"
        return
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("--socket needs sockets that have a path, which this system does not offer")
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already; nothing is ever written over it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        before = os.umask(0o777 & ~FILE)  # open to its owner from the start
        try:
            made.bind(str(path))
        except OSError as error:
            raise UsageError(f"no socket can be made at {path}: {error.strerror or error}") from error
        finally:
            os.umask(before)
        try:
            made.listen(64)
            yield made, None
        finally:
            with suppress(OSError):
                if stat.S_ISSOCK(path.lstat().st_mode):
                    path.unlink()


def server(reviewing: Reviewing) -> uvicorn.Server:
    """The server of a page: no log, no other protocol, nothing believed of what stands in front of it."""
    import uvicorn  # takes as long as the queue, which is made meanwhile

    config = uvicorn.Config(
        reviewing.app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        limit_concurrency=64,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=SECONDS_FOR_LAST,
        h11_max_incomplete_event_size=16 * 1024,
    )
    return uvicorn.Server(config)


def serve(reviewing: Reviewing, at: socket.socket) -> None:
    """Serves until Ctrl-C, a polite kill or the end of the terminal.

    Args:
        reviewing: What is served.
        at: Listening.
    """
    with suppress(KeyboardInterrupt):
        server(reviewing).run(sockets=[at])
