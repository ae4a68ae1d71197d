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


REPORT, READING, RUNNING = "Report", "Reading", "Running"
"""Heads under which the command line's help lists options."""


def _option(default: Any, head: str, text: str, flag: str = "", *, only_on: bool = False, **limits: Any) -> Any:
    """A setting, which is an option of analysing commands too.

    Args:
        default: Its value where nobody sets it.
        head: What it stands under in the help.
        text: Its help, with the default in words.
        flag: How it is called, with its short name behind it, where that is not as its field.
        only_on: Whether it is a switch that nothing on the command line turns off.
        limits: What pydantic holds it to.
    """
    return Field(
        default, description=text, json_schema_extra={"panel": head, "flag": flag, "only_on": only_on}, **limits
    )


class Settings(BaseModel):
    """What holds for a run, each of which the command line may override: its options are made from these fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    thumbnails: bool = _option(
        False, REPORT, "Put small pictures of the evidence into the HTML, blurred until clicked.", only_on=True
    )
    sensitive: bool = _option(
        False,
        REPORT,
        "Handle every file with care: no thumbnails, maps or other pictures of it; the report shows hotlines.",
        only_on=True,
    )
    language: str = _option(
        "en",
        REPORT,
        "Language of the report for people: en (default), es, fr, ja, ko or pt; JSON and CSV stay English.",
        "--lang",
    )
    reader: Reader = _option(Reader.ANYONE, REPORT, "Whom the report's advice is for (default: anyone).", "--for")
    paper: Literal["a4", "letter"] = _option("a4", REPORT, "Paper of the PDF: a4 (default) or letter.")
    operator: str | None = _option(None, REPORT, "Who does it, as the report says: a name, or a TOML file (.toml).")
    max_pixels: int = _option(
        Limits().max_pixels, READING, "Largest picture to decode, in pixels (default 220 million).", ge=1, le=_MOST
    )
    max_frames: int = _option(
        Limits().max_frames,
        READING,
        "Most further pictures of one file (frames, pages, previews) to examine (default 16).",
        ge=0,
        le=_MOST_FRAMES,
    )
    max_bytes: int = _option(
        Limits().max_bytes,
        READING,
        "Largest file to look into, in bytes (default 512 MiB); larger ones are only hashed and looked up.",
        ge=1,
        le=_MOST,
    )
    max_seconds: float = _option(
        Limits().max_seconds,
        READING,
        "Longest time for one file in a worker process (default 300; 0 for no limit).",
        ge=0,
        le=_MOST_SECONDS,
    )
    max_memory: int = _option(
        Limits().max_memory,
        READING,
        "Most memory for one worker process, in bytes (default 6 GiB; 0 for no limit; Linux).",
        ge=0,
        le=_MOST,
    )
    follow_symlinks: bool = _option(False, READING, "Follow symbolic links.", only_on=True)
    device: str = _option("auto", RUNNING, "auto, cpu, cuda, cuda:N or mps. A device named here must exist.")
    jobs: int = _option(
        0,
        RUNNING,
        "Worker processes; 0 chooses by files, cores and memory (default).",
        "--jobs -j",
        ge=0,
        le=_MOST_JOBS,
    )
    engine: Literal["auto", "inline", "pool", "ray"] = _option(
        "auto",
        RUNNING,
        "What runs the workers: inline, pool or ray; auto chooses by files and cores (default).",
    )
    isolate: bool = _option(
        True,
        RUNNING,
        "Read files in confined worker processes, a single one too (default), or in this one.",
    )
    ray_address: str | None = _option(
        None,
        RUNNING,
        "A running Ray cluster (auto, host:port, ray://host:port) whose machines see the same paths.",
    )
    ray_evidence: Literal["path", "content"] = _option(
        "path",
        RUNNING,
        "What Ray is given of a file: its path, or content, where machines see other paths.",
    )
    weights: Path | None = _option(None, RUNNING, "Look for model weights in this folder first.")
    analyzers: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Options by analyzer name.")

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
    return _checked(values | dict(given or {}))


def laid_over(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """Settings with some others in their place.

    Raises:
        UsageError: What is given is no such setting.
    """
    if not given:
        return settings
    return _checked({name: getattr(settings, name) for name in settings.model_fields_set} | dict(given))


def _checked(values: Mapping[str, Any]) -> Settings:
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
