"""The files of a model that a user brings: found by its card, told by their content, checked by SHA-256.

Only formats that hold numbers are read. What could run code when it is loaded (pickles and with them TorchScript and
most ``.pt`` files, Keras files with lambda layers, libraries, scripts) is recognised by its first bytes, whatever its
name, and refused with the reason.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.types import ModelRecord
from nsfwforensics.errors import MissingDependencyError, WeightsError
from nsfwforensics.models.own.card import DetectorCard, Measurement, ModelFormat
from nsfwforensics.models.own.reading import card_path, read_card, read_measurement

MAX_MODEL_BYTES = 512 * 1024 * 1024

_PICKLE = say("it is a Python pickle, which runs code when it is loaded; export the model to ONNX or safetensors")
_TORCH = say(
    "it is a PyTorch archive (.pt, .pth or TorchScript), which can run code when it is loaded; export the model to "
    "ONNX or safetensors"
)
_KERAS = say("it is a Keras or HDF5 file, which can hold code; export the model to ONNX")
_PROGRAM = say("it is a program or a library, not a model")
_OTHER = say("it is a compressed archive or a format of another runtime; export the model to ONNX or safetensors")

_HEADS: tuple[tuple[bytes, Message], ...] = (
    (b"\x89HDF\r\n\x1a\n", _KERAS),
    (b"\x7fELF", _PROGRAM),
    (b"MZ", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", _PROGRAM),
    (b"\xca\xfe\xba\xbe", _PROGRAM),
    (b"#!", _PROGRAM),
    (b"\x93NUMPY", _OTHER),
    (b"\x1f\x8b", _OTHER),
    (b"BZh", _OTHER),
    (b"\xfd7zXZ", _OTHER),
    (b"\x28\xb5\x2f\xfd", _OTHER),
)


@dataclass(frozen=True, slots=True)
class DetectorFiles:
    """A model with its card, found and described; nothing of the model is loaded yet. Picklable.

    Attributes:
        card: What it is.
        card_file: The card.
        card_sha256: Of the card's bytes.
        model_file: The model.
        measured: What ``model evaluate`` counted with both, or None.
    """

    card: DetectorCard
    card_file: Path
    card_sha256: str
    model_file: Path
    measured: Measurement | None

    def records(self, used_by: str) -> tuple[ModelRecord, ...]:
        """Model and card, as a report's header names them."""
        about = self.card.detector
        model = ModelRecord(
            name=about.name, version=about.version, file=about.file, sha256=about.sha256, used_by=used_by
        )
        card = model.model_copy(update={"file": self.card_file.name, "sha256": self.card_sha256})
        return model, card.model_copy(update={"name": f"{about.name} (card)"})


def find_detector(path: Path) -> DetectorFiles:
    """Finds card and model.

    Args:
        path: The card, or the folder that it lies in.

    Raises:
        WeightsError: One of them is missing or cannot be read.
        MissingDependencyError: The extra that the format needs is not installed.
    """
    where = card_path(path.absolute())
    card, digest = read_card(where)
    about = card.detector
    model = where.with_name(about.file)
    if not model.is_file():
        raise WeightsError(say("{file} is missing beside its card {card}", file=about.file, card=where.name))
    if about.format is ModelFormat.ONNX and find_spec("onnxruntime") is None:
        raise MissingDependencyError(
            say("models in ONNX need an extra that is not installed: pip install 'nsfwforensics[onnx]'")
        )
    return DetectorFiles(card, where, digest, model, read_measurement(where, digest, about.sha256))


def read_model(files: DetectorFiles) -> bytes:
    """Reads the model's bytes once, and checks these very bytes.

    Raises:
        WeightsError: They are too many, not those the card names, or of a format that is not loaded.
    """
    about = files.card.detector
    try:
        with files.model_file.open("rb") as stream:
            data = stream.read(MAX_MODEL_BYTES + 1)
    except OSError as error:
        problem = say("{path} cannot be read: {error}", path=str(files.model_file), error=error.strerror)
        raise WeightsError(problem) from error
    if len(data) > MAX_MODEL_BYTES:
        limit = MAX_MODEL_BYTES >> 20
        raise WeightsError(say("{file} is larger than the {limit} MiB allowed", file=about.file, limit=limit))
    reason = refused(data)
    if reason is not None:
        raise WeightsError(say("{file} is not loaded: {reason}", file=about.file, reason=reason))
    actual = hashlib.sha256(data).hexdigest()
    if actual != about.sha256:
        raise WeightsError(
            say(
                "{file} is not the file that its card names (SHA-256 {actual}, expected {expected})",
                file=about.file,
                actual=actual,
                expected=about.sha256,
            )
        )
    if (about.format is ModelFormat.SAFETENSORS) != _is_safetensors(data):
        raise WeightsError(say("{file} is not {format}, as its card says", file=about.file, format=about.format.value))
    return data


def refused(data: bytes) -> Message | None:
    """Why a file is not loaded, told by its content; None where it may be looked at further."""
    if data[:4] == b"PK\x03\x04":
        return _archive(data)
    if _is_pickle(data):
        return _PICKLE
    if data[4:8] == b"TFL3":
        return _OTHER
    return next((reason for head, reason in _HEADS if data.startswith(head)), None)


def _archive(data: bytes) -> Message:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()[:1000]
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError):  # the last: zipfile's of a newer format
        return _OTHER
    if any(name.endswith((".pkl", "/version", "/byteorder")) or "/code/" in name for name in names):
        return _TORCH
    if any(name.endswith((".h5", "config.json")) for name in names):
        return _KERAS
    return _OTHER


def _is_pickle(data: bytes) -> bool:
    """Protocol 2 and later by their first two bytes; older ones by the text that calls or builds something."""
    if data[:1] == b"\x80" and len(data) > 1 and data[1] <= 5:
        return True
    head, tail = data[:200], data.rstrip()[-1:]
    return tail == b"." and head[:1] in b"c(}])lI" and (b"\n" in head)


def _is_safetensors(data: bytes) -> bool:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 10 or not 2 <= length <= min(len(data) - 8, 10_000_000) or data[8:9] != b"{":
        return False
    try:
        return isinstance(json.loads(data[8 : 8 + length]), dict)
    except (ValueError, RecursionError):
        return False
