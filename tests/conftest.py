"""Fixtures that every test may use."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from nsfwforensics.threads import one_thread_each

one_thread_each()  # as in every process of a run: tests run in several processes, whose threads would only wait

# How long an example takes is no matter of right or wrong, and many machines are busy with other things.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of tests are made that stay, so nobody looks for garbage among them, here or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_sessionfinish() -> None:
    """What libraries keep is theirs to take apart."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def samples() -> Path:
    """The committed sample pictures."""
    return ROOT / "samples"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data beside the checkout; the test is skipped where it is absent."""
    folder = Path(os.environ.get("NSFWFORENSICS_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"development data is absent ({folder.name}/ beside the checkout)")
    return folder


Once = Callable[[str, Callable[[], Any]], Any]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Works something out once for all processes that run these tests, and hands each the same JSON values."""
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent

    def call(name: str, make: Callable[[], Any]) -> Any:
        kept = folder / f"{name}.json"
        with FileLock(f"{kept}.lock"):
            if not kept.is_file():
                kept.write_text(json.dumps(make()), "utf-8")
        return json.loads(kept.read_text("utf-8"))

    return call
