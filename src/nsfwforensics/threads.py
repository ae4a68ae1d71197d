"""One thread per numerical library and process, and a bounded cache of prepared convolutions.

Parallelism is in processes: they scale better here, and the libraries' own threads wait for one another by spinning,
which on a busy machine was measured to cost several times what it gained. The cache matters because pictures of every
size go through the face detector: by default torch's CPU library keeps a thousand prepared convolutions, one set per
size, and a worker was measured to grow by half over a thousand pictures.
"""

from __future__ import annotations

import os

VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32",
}


def one_thread_each() -> None:
    """Sets this for libraries that are not loaded yet; what the user has set stays."""
    for variable, value in VARIABLES.items():
        os.environ.setdefault(variable, value)
