"""Settings: file, then environment, then command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from nsfwforensics.errors import UsageError
from nsfwforensics.settings import load_settings


def test_defaults() -> None:
    settings = load_settings(environment={})
    assert settings.limits.max_pixels == 220_000_000
    assert (settings.device, settings.jobs) == ("auto", 0)


def test_the_environment_lies_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('jobs = 3\ndevice = "cpu"\n[analyzers.faces]\nface_model = "a"\nreference = ["x.jpg"]\n')
    settings = load_settings(
        path, {"NSFWFORENSICS_JOBS": "5", "NSFWFORENSICS_FACES__FACE_MODEL": "b", "OTHER__THING": "c"}
    )
    assert (settings.jobs, settings.device) == (5, "cpu")
    assert settings.analyzers == {"faces": {"face_model": "b", "reference": ["x.jpg"]}}


@pytest.mark.parametrize(
    ("text", "says"),
    [("colour = 1", "colour"), ("jobs = -1", "jobs"), ("jobs = [", "cannot be read"), ("a\0b", "read")],
)
def test_what_is_no_setting_is_a_usage_error(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=says):
        load_settings(path, {})
