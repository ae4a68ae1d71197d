"""Sessions of onnxruntime, an extra: one thread, the CPU, and nothing that it does of its own accord.

From version 1.29 on it reports its use to its maker as soon as it is loaded, which no call of its own can prevent any
more; the requirements exclude those versions, and the switch that they read when they are loaded is set all the same.
"""

from __future__ import annotations

from typing import Any

from nsfwforensics.seclusion import silence

FATAL_ONLY = 4
"""Of what it remarks while it loads a stranger's model, which may quote that."""


def onnx_session(data: bytes) -> Any:
    """Makes a session of a model's bytes, which were looked through before or are pinned.

    Args:
        data: The model.

    Raises:
        Exception: One of those that :func:`onnx_errors` names.
    """
    silence()
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # on Windows the system asks for it, whatever the environment says
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.use_deterministic_compute = True
    options.log_severity_level = FATAL_ONLY
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def onnx_errors() -> tuple[type[Exception], ...]:
    """The exceptions of the runtime, which have no common base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception)]
    return (*own, RuntimeError, ValueError, IndexError, MemoryError)
