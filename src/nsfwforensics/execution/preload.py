"""Loaded first by the server from which workers are forked, and by nothing else.

Threads are settled before any numerical library is loaded, the server can open no connection, whatever it loads, and it
ends with the process that started it. Garbage is looked for once all is loaded (:mod:`.preloaded`). A worker that was
still being started when that process ended finds nothing of what they shared, and says nothing.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from nsfwforensics.execution.confine import end_with_parent, refuse_connections
from nsfwforensics.threads import one_thread_each

if TYPE_CHECKING:
    from types import TracebackType

ORPHANED = (FileNotFoundError, EOFError, BrokenPipeError)


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, ORPHANED):
        sys.__excepthook__(kind, error, trace)


gc.disable()
sys.excepthook = _tell
one_thread_each()
end_with_parent()
refuse_connections()
