"""Writes the figures that measuring tools count into the package, where reports take them from."""

from __future__ import annotations

import tomllib
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "src" / "nsfwforensics" / "data" / "measured.toml"


def record(by: str, counts: dict[str, tuple[int, int]], file: Path = FILE) -> None:
    """Puts counts in the place of those that were there; the others stay.

    Args:
        by: How the tool that counted is called.
        counts: Errors and trials, by what was counted.
        file: The figures.
    """
    text = file.read_text("utf-8")
    head = text[: text.index("[")]
    figures = tomllib.loads(text)
    figures |= {name: {"errors": errors, "trials": trials, "by": by} for name, (errors, trials) in counts.items()}
    file.write_text(
        head
        + "\n".join(
            f'[{name}]\nerrors = {each["errors"]}\ntrials = {each["trials"]}\nby = "{each["by"]}"\n'
            for name, each in figures.items()
        ),
        "utf-8",
    )
