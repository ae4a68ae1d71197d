"""Sessions of onnxruntime, an extra: one thread, the CPU, and nothing that it does of its own accord.

From version 1.29 on it reports its use to its maker as soon as it is loaded, which no call of its own can prevent any
more; the requirements exclude those versions, and the switch that they read when they are loaded is set all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nsfwforensics.seclusion import silence

if TYPE_CHECKING:
    from numpy.typing import NDArray

FATAL_ONLY = 4
"""Of what it remarks while it loads a stranger's model, which may quote that."""


def onnx_session(
    data: bytes, beside: Mapping[str, NDArray[Any]] = MappingProxyType({}), *, threads: int = 1, packed: bool = True
) -> Any:
    """Makes a session of a model's bytes, which were looked through before, are pinned or our own.

    Args:
        data: The model.
        beside: Weights that the model names without holding them; not copied, and to be kept as long as the session.
        threads: How many threads it may use.
        packed: Whether matrices are laid out anew once, in a copy, rather than in every run.

    Raises:
        Exception: One of those that :func:`onnx_errors` names.
    """
    silence()
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # on Windows the system asks for it, whatever the environment says
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = False
    options.use_deterministic_compute = True
    options.log_severity_level = FATAL_ONLY
    options.add_session_config_entry("session.disable_prepacking", str(int(not packed)))
    if beside:
        # What writes numbers as bytes and reads them again is meant so, and is not to be taken out.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in beside.values()]
        options.add_external_initializers(list(beside), values)
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def onnx_errors() -> tuple[type[Exception], ...]:
    """The exceptions of the runtime, which have no common base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception)]
    return (*own, RuntimeError, ValueError, LookupError, MemoryError)
