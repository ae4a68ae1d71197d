"""Light commands stay light."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nsfwforensics.analyzers.faces.enrol import Reference
from nsfwforensics.models.faces.template import FaceTemplate
from nsfwforensics.testing import contract_file

SCRIPT = """
import json, sys
from nsfwforensics.cli.app import main
sys.argv = ["nsfwforensics", *json.loads(sys.argv[1])]
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded_by(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(arguments)], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_loads_nothing_heavy() -> None:
    modules = loaded_by("--help")
    assert "nsfwforensics.cli.app" in modules
    assert not modules & {"torch", "cv2", "numpy", "PIL", "pydantic", "nsfwforensics.core.types"}


@pytest.mark.parametrize("command", ["metadata", "hash"])
def test_commands_without_models_load_no_torch(command: str, tmp_path: Path) -> None:
    path = tmp_path / "one.jpg"
    path.write_bytes(contract_file("plain.jpg"))
    modules = loaded_by(command, str(path), "--json")
    assert f"nsfwforensics.analyzers.{ {'metadata': 'metadata', 'hash': 'phash'}[command] }" in modules
    assert "torch" not in modules
    if command == "metadata":
        assert "cv2" not in modules


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--no-isolate", "--skip", "intimate", "--skip", "deepfake")])
def test_onnxruntime_is_loaded_by_what_judges_with_it_alone(options: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "one.jpg"
    path.write_bytes(contract_file("plain.jpg"))
    assert not loaded_by("scan", str(path), "--json", *options) & {"onnxruntime", "nudenet"}


def test_what_is_enrolled_of_a_face_is_passed_on_without_networks() -> None:
    template = FaceTemplate(np.zeros((2, 128), np.float32), 80.0, 0.1, 0.5)
    enrolled = pickle.dumps((Reference("her.jpg", "0" * 64, template),))
    code = "import pickle, sys; pickle.load(sys.stdin.buffer); print({'torch', 'cv2'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], input=enrolled, capture_output=True, check=True).stdout
        == b"set()\n"
    )


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, nsfwforensics; print(len({'torch', 'cv2', 'PIL', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"


def test_every_public_name_is_there_sorted() -> None:
    import nsfwforensics

    assert list(nsfwforensics.__all__) == sorted(nsfwforensics.__all__)
    for name in nsfwforensics.__all__:
        assert getattr(nsfwforensics, name).__doc__
    with pytest.raises(AttributeError):
        _ = nsfwforensics.nothing  # type: ignore[attr-defined]


def test_what_clears_up_at_exit_is_loaded_after_the_scratch_folder_is_made() -> None:
    """Exit handlers run last in, first out: multiprocessing's must find its files in the folder still."""
    code = "import sys, nsfwforensics.cli.app; print('multiprocessing.util' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
