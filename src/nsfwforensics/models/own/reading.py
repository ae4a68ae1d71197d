"""Reading the cards of models that users bring: short TOML files, checked field by field, never run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nsfwforensics.core.documents import DocumentError, read_toml
from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models.own.card import DetectorCard, Measurement

CARD = "detector.toml"
"""The card's name in a folder."""

MEASURED_SUFFIX = ".measured.toml"

MAX_CARD_BYTES = 1_000_000


def card_path(path: Path) -> Path:
    """The card that a path names: itself, or the one in a folder.

    Raises:
        WeightsError: There is none, or several and none is called ``detector.toml``.
    """
    if not path.is_dir():
        return path
    if (path / CARD).is_file():
        return path / CARD
    found = [card for card in sorted(path.glob("*.toml")) if not card.name.endswith(MEASURED_SUFFIX)]
    if len(found) == 1:
        return found[0]
    raise WeightsError(say("{folder} holds no card named {card}", folder=str(path), card=CARD))


def read_card(path: Path) -> tuple[DetectorCard, str]:
    """Reads a card.

    Args:
        path: A card, not a folder.

    Returns:
        The card and the SHA-256 of its bytes.

    Raises:
        WeightsError: It cannot be read, or says something that no card may say.
    """
    data = _bytes(path)
    card: DetectorCard = _parsed(path, data, DetectorCard)
    return card, hashlib.sha256(data).hexdigest()


def read_measurement(card: Path, card_sha256: str, model_sha256: str) -> Measurement | None:
    """What ``model evaluate`` measured, from the file beside a card; None where there is none.

    Raises:
        WeightsError: It cannot be read, or belongs to another card or model.
    """
    path = card.with_name(card.stem + MEASURED_SUFFIX)
    if not path.is_file():
        return None
    found: Measurement = _parsed(path, _bytes(path), Measurement)
    if (found.card_sha256, found.model_sha256) != (card_sha256, model_sha256):
        raise WeightsError(
            say("{file} was measured with another card or model; measure again or remove it", file=path.name)
        )
    return found


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_CARD_BYTES + 1)
    except OSError as error:
        problem = say("{path} cannot be read: {error}", path=str(path), error=error.strerror)
        raise WeightsError(problem) from error
    if len(data) > MAX_CARD_BYTES:
        raise WeightsError(say("{path} is too long for a card", path=str(path)))
    return data


def _parsed(path: Path, data: bytes, kind: type[Any]) -> Any:
    try:
        return kind.model_validate(read_toml(data))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        problem = say("{path}: {where}: {error}", path=str(path), where=where, error=first["msg"])
        raise WeightsError(problem) from error
    except DocumentError as error:
        raise WeightsError(
            say("{path} is no card in TOML (a model needs a card beside it): {error}", path=str(path), error=str(error))
        ) from error
