"""Settings from a TOML file and the environment, made into one frozen object that is passed along.

Precedence: command line, environment (``NSFWFORENSICS_DEVICE``, and ``NSFWFORENSICS_FACES__FACE_MODEL`` for an
analyzer's option), settings file, defaults. No settings file is ever picked up from the folder of the evidence.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nsfwforensics.core.documents import DocumentError, load_toml
from nsfwforensics.core.evidence import Limits
from nsfwforensics.core.vocabulary import Reader
from nsfwforensics.errors import UsageError

PREFIX = "NSFWFORENSICS_"

_MOST, _MOST_SECONDS, _MOST_JOBS, _MOST_FRAMES = 1 << 62, 10.0**9, 4096, 10_000
"""Beyond these the system takes no limit, and starts no processes."""


class Settings(BaseModel):
    """Defaults for a run, each of which the command line may override.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        jobs: Worker processes; 0 chooses by the number of files and cores.
        engine: ``auto``, ``inline`` (this process), ``pool`` (processes) or ``ray``.
        ray_address: Of a Ray cluster; None starts Ray on this machine.
        isolate: Whether files are read in confined worker processes, a single one too; False leaves that to ``jobs``.
        max_bytes: Largest file read, in bytes.
        max_pixels: Largest picture decoded, width times height.
        max_seconds: Longest examination of one file in a worker process, in seconds; 0 for no limit.
        max_memory: Most memory for one worker process, in bytes; 0 for no limit.
        max_frames: Most further pictures of one file (frames, pages, previews) that are examined.
        operator: Who examines; printed in the report.
        language: What reports for people are written in, as BCP 47 names it (``en``, ``ja``).
        reader: Whom the advice in reports is for.
        paper: What a PDF is made for.
        sensitive: Whether all files are handled with care: no pictures of them anywhere.
        weights: A folder to look for weights in before the installed ones.
        analyzers: Options by analyzer name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    device: str = "auto"
    jobs: int = Field(default=0, ge=0, le=_MOST_JOBS)
    engine: Literal["auto", "inline", "pool", "ray"] = "auto"
    ray_address: str | None = None
    isolate: bool = True
    max_bytes: int = Field(default=Limits().max_bytes, gt=0, le=_MOST)
    max_pixels: int = Field(default=Limits().max_pixels, gt=0, le=_MOST)
    max_seconds: float = Field(default=Limits().max_seconds, ge=0, le=_MOST_SECONDS)
    max_memory: int = Field(default=Limits().max_memory, ge=0, le=_MOST)
    max_frames: int = Field(default=Limits().max_frames, ge=0, le=_MOST_FRAMES)
    operator: str | None = None
    language: str = "en"
    reader: Reader = Reader.ANYONE
    paper: Literal["a4", "letter"] = "a4"
    sensitive: bool = False
    weights: Path | None = None
    analyzers: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @property
    def uses_ray(self) -> bool:
        """Whether files are examined on Ray."""
        return self.engine == "ray" or (self.engine == "auto" and self.ray_address is not None)

    @property
    def limits(self) -> Limits:
        """The limits per file."""
        return Limits(self.max_bytes, self.max_pixels, self.max_seconds, self.max_memory, self.max_frames)


def load_settings(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> Settings:
    """Reads the settings file, lays the environment and what was given over it, and checks the result.

    Args:
        path: A TOML file, or None to use defaults and the environment only.
        environment: Environment variables; the process's own if None.
        given: Settings by name, as the command line has them.

    Raises:
        UsageError: The file cannot be read or holds something that is no setting.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = load_toml(path)
        except (OSError, DocumentError) as error:
            raise UsageError(f"settings file {path} cannot be read: {error}") from error
    _lay_environment(values, os.environ if environment is None else environment)
    values |= given or {}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"setting {where}: {first['msg']}") from error


def _lay_environment(values: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name in Settings.model_fields:
        if name != "analyzers" and (text := environment.get(PREFIX + name.upper())):
            values[name] = text
    for variable, text in environment.items():
        analyzer, found, option = variable.removeprefix(PREFIX).partition("__")
        if variable.startswith(PREFIX) and found:
            section = values.setdefault("analyzers", {}).setdefault(analyzer.lower(), {})
            section[option.lower()] = text
