"""One thread per numerical library and process.

Parallelism is in processes: they scale better here, and the libraries' own threads wait for one another by spinning,
which on a busy machine was measured to cost several times what it gained.
"""

from __future__ import annotations

import os

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


def one_thread_each() -> None:
    """Limits libraries that are not loaded yet to one thread; what the user has set stays."""
    for variable in VARIABLES:
        os.environ.setdefault(variable, "1")
