"""Has the server of worker processes start before a command has loaded anything itself, where that is worth it.

A scan of one file spends its first second loading: the command its options and analyzers, the server what workers
need. Side by side they take half as long.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from itertools import pairwise

from nsfwforensics.core.registry import installed

_NO_SERVER = frozenset({"--no-isolate", "--engine", "--help"})
SHARED = ("nsfwforensics.execution.worker", "pebble.pool.process")
"""What the command needs too of what every worker needs."""

_FOLDERS = frozenset({"-o", "--output"})


def warm_up_for_one(words: Sequence[str]) -> None:
    """Starts the server for a command that examines one file in a worker process, as far as its words tell.

    A wrong guess costs that command the time: the server serves it all the same, or ends with it.

    Args:
        words: The command line after the program's name.
    """
    follows = {second for first, second in pairwise(words) if first in _FOLDERS}
    named = [word for word in words[1:] if word not in follows and os.path.exists(word)]  # noqa: PTH110
    if words[0] == "scan" and len(named) == 1 and os.path.isfile(named[0]) and not _NO_SERVER & set(words):  # noqa: PTH113
        # Loads multiprocessing, which clears up at exit what lies in our scratch folder: so it must come to know of the
        # exit after that folder did, and clear up before it goes.
        from nsfwforensics.execution.server import EVERY_WORKER, warm_up

        ours = [registration.entry.module for registration in installed() if registration.built_in]
        for module in (*SHARED, *ours):
            with suppress(ImportError):  # whoever needs it says so
                import_module(module)
        warm_up([*EVERY_WORKER, *ours], branch=True)
