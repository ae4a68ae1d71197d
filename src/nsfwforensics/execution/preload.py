"""Loaded first by the server from which workers are forked, and by nothing else.

Threads are settled before any numerical library is loaded, and the server ends with the process that started it.
"""

from __future__ import annotations

from nsfwforensics.execution.confine import end_with_parent
from nsfwforensics.threads import one_thread_each

one_thread_each()
end_with_parent()
