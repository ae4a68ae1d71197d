"""Nothing leaves and nothing stays, whichever way it is run: what commands and their libraries ask the kernel for.

Every command runs in an empty home while the kernel tells of each connection and of each file opened for writing, by
Python or C, in whatever process. What confines a command is left out meanwhile, so that nothing is merely refused.
"""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nsfwforensics
from nsfwforensics.cli.alone import EXAMINING
from nsfwforensics.cli.app import build
from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.core.registry import commands
from tests.e2e.conftest import COMMAND
from tests.hostile.kernel import SUPPORTED, Trace, traced
from tests.models.make_onnx import THRESHOLD, brightness, card

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="only Linux on x86-64 and ARM64 tells of calls")

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
CROP, REFERENCE, ORIGINAL = (SAMPLES / name for name in ("crop.jpg", "reference.jpg", "camera-original.jpg"))
LONG_ENOUGH = 21
"""Seconds after which what a library puts off has begun."""


class Place:
    """An empty home, an output and a folder for temporary files, under a short name: sockets lie in the last."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="n", dir="/tmp"))
        self.home, self.out, self.temporary = (self.root / name for name in ("home", "out", "tmp"))
        for folder in (self.home, self.out, self.temporary):
            folder.mkdir()

    def environment(self, **more: str) -> dict[str, str]:
        foreign = ("NSFWFORENSICS_", "XDG_", "ORT_", "RAY_", "TORCH", "TRITON", "PYTHONDONTWRITEBYTECODE")
        usual = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return usual | {"HOME": str(self.home), "TMPDIR": str(self.temporary), "COLUMNS": "80"} | more

    def traced(self, *words: object, **more: str) -> Trace:
        """Runs the installed command in the output's folder; the one that waits for somebody is ended by Ctrl-C."""
        waiting = ("timeout", "--preserve-status", "-s", "INT", str(LONG_ENOUGH)) if words[0] == "review" else ()
        return traced([*waiting, COMMAND, *words], self.environment(**more), self.out)

    def python(self, text: str, **more: str) -> Trace:
        """Runs a program that uses the library."""
        return traced([sys.executable, "-c", text], self.environment(**more), self.out)

    def kept(self, trace: Trace, *, loopback: bool = False) -> Trace:
        """Shows that nobody was called and nothing written but the output and what lay among the temporary files."""
        said = f"{trace.command}\n{trace.out[-500:]}\n{trace.err[-1500:]}"
        assert trace.contacts(self.temporary, loopback=loopback) == [], said
        assert trace.outside(self.out, self.temporary) == [], said
        assert trace.code == 0, said
        return trace

    def is_clean(self) -> None:
        """Shows that nothing stayed."""
        assert [*self.home.rglob("*"), *self.temporary.rglob("*")] == []


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """As an installation is; of a changed source Python stores the first few files that the command loads."""
    compileall.compile_dir(Path(nsfwforensics.__file__).parent, quiet=2)


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    yield made
    shutil.rmtree(made.root)


def pictures(folder: Path, gain: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(2):
        pixels = np.random.default_rng(number + gain).integers(0, 120, (96, 128, 3), dtype=np.uint8) + gain
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.jpg", quality=90)
    return folder


Runs = list[tuple[object, ...]]


def test_no_command_writes_elsewhere_or_calls_anybody(place: Place) -> None:
    few, case, bag, report = pictures(place.out / "few", 0), place.out / "c.db", place.out / "bag", place.out / "report"
    index, one = place.out / "index", few / "0.jpg"
    # In PDFs, caches of fonts are made where there are none that can be used.
    fonts, caches = place.root / "fonts.conf", place.root / "caches"
    caches.mkdir()
    fonts.write_text(f"<fontconfig><dir>/usr/share/fonts</dir><cachedir>{caches}</cachedir></fontconfig>")
    first: Runs = [
        ("scan", few, "--only", "metadata", "--only", "jpeg", "--case", case, "-q", "-o", report),
        ("hashlist", "import", few, "-o", index),
    ]
    then: Runs = [
        ("metadata", one, "--json"),
        ("provenance", CROP, "--no-isolate", "-q"),
        ("compare", ORIGINAL, one, "--no-isolate", "-q"),
        ("hash", one, "--engine", "inline", "--json"),
        ("search", one, "--known", index, "--no-isolate", "-q"),
        ("cluster", few, "--no-isolate", "-q"),
        ("faces", one, "--reference", REFERENCE, "--no-isolate", "-q"),
        ("detect", one, "--no-isolate", "-q"),
        ("case", "verify", case),
        ("review", case, "--operator", "Ann"),
        ("evidence", "pack", few, "-o", bag, "--report", report),
        ("notice", one, "--law", "generic"),
        ("helplines",),
        ("report", report, "--pdf", "-q"),
        ("analyzers",),
        ("model", "card"),
        ("weights", "verify"),
        ("doctor",),
    ]
    assert {words[0] for words in (*first, *then)} == COMMANDS.keys() | commands().keys()
    for runs in (first, then):
        with ThreadPoolExecutor(2) as together:
            for done in together.map(lambda words: place.traced(*words, FONTCONFIG_FILE=str(fonts)), runs):
                place.kept(done, loopback=" review " in done.command)  # it listens on this machine's own address
    place.is_clean()


@pytest.mark.slow
def test_no_engine_lets_libraries_write_elsewhere_or_call_anybody(place: Place) -> None:
    """With every analyzer that is there, which loads every library that examining needs."""
    engines = [("-o", place.out / "pool"), ("--no-isolate", "-o", place.out / "here")]
    with ThreadPoolExecutor(2) as together:
        scan = ("scan", CROP, "--reference", REFERENCE, "-q")
        for done in together.map(lambda engine: place.traced(*scan, *engine), engines):
            place.kept(done)
    place.is_clean()


@pytest.mark.slow
def test_models_of_ones_own_do_neither(place: Place) -> None:
    pytest.importorskip("onnxruntime")
    limits = "min_side = 64\nmin_quality = 0\nmax_flat_share = 1.0"
    own = card(place.out / "m", brightness(gain=30, offset=-13), replace={"calibration": THRESHOLD, "limits": limits})
    real, fake = pictures(place.out / "real", 0), pictures(place.out / "fake", 90)
    runs: Runs = [
        ("detect", real, "--detector", own, "-q", "-o", place.out / "report"),
        ("model", "evaluate", "--real", real, "--fake", fake, "--detector", own, "-q"),
    ]
    with ThreadPoolExecutor(2) as together:
        for done in together.map(lambda words: place.traced(*words), runs):
            place.kept(done)
    place.is_clean()


@pytest.mark.slow
@pytest.mark.ray
def test_ray_speaks_with_this_machine_alone(place: Place) -> None:
    pytest.importorskip("ray", reason="needs the ray extra")
    scan = ("scan", CROP, "--only", "metadata", "--only", "intimate", "-q", "-o", place.out / "report")
    done = place.kept(place.traced(*scan, "--engine", "ray", "-j", "1"), loopback=True)
    assert any(call.name == "connect" and call.about.startswith("127.") for call in done.network), "else it was not run"
    place.is_clean()


def program(*analyzers: str) -> str:
    """A program that examines a picture with the library, in its own process."""
    return (
        "import nsfwforensics, time\n"
        f"report = nsfwforensics.examine({str(CROP)!r}, only={analyzers or None})\n"
        "assert report.results and all(result.status != 'failed' for result in report.results), report\n"
    )


def test_a_program_that_calls_the_library_keeps_its_home_clean(place: Place) -> None:
    place.kept(place.python(program("intimate", "provenance", "metadata"), PYTHONDONTWRITEBYTECODE="1"))
    place.is_clean()


EVERYTHING = f"""
'''A third party's analyzer that loads all that any of ours does, and stays for a while.'''
import time
from nsfwforensics import Analyzer, Code, Outcome, Question, Severity


class Probe(Analyzer):
    '''Loads everything.'''

    name = "probe"
    version = "7"
    title = "a probe"
    question = Question.KNOWN
    codes = {{"PROBE-001": Code("seen", Severity.LOW, "only a probe")}}

    def examine(self, evidence):
        '''Waits.'''
        import c2pa, cv2, torch
        from nsfwforensics.models.intimate_detector import cached_detector
        try:
            cached_detector()
        except Exception:
            pass
        time.sleep({LONG_ENOUGH})
        return Outcome.of([self.finding("PROBE-001", "seen")])
"""


def plugin(folder: Path, text: str) -> Path:
    info = folder / "probe_package-7.0.dist-info"
    info.mkdir(parents=True)
    (folder / "probe_package.py").write_text(text)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: probe-package\nVersion: 7.0\n")
    (info / "entry_points.txt").write_text("[nsfwforensics.analyzers]\nprobe = probe_package:Probe\n")
    return folder


@pytest.mark.slow
def test_nothing_is_put_off_until_later(tmp_path: Path) -> None:
    """As above, with processes that live long enough for threads that wait before they call."""
    path = str(plugin(tmp_path / "site", EVERYTHING))
    scan = ("scan", CROP, "--allow-plugins", "--skip", "watermark", "--skip", "traces", "-q")
    engines: list[tuple[str, ...]] = [(), ("--no-isolate",), ("--engine", "ray", "-j", "1")]
    with ThreadPoolExecutor(len(engines) + 1) as together:
        runs = [(place, together.submit(place.traced, *scan, *engine, "-o", place.out / "report", PYTHONPATH=path))
                for place, engine in ((Place(), engine) for engine in engines)]  # fmt: skip
        text = f"{program()}time.sleep({LONG_ENOUGH})"
        library = Place()
        runs.append((library, together.submit(library.python, text, PYTHONDONTWRITEBYTECODE="1")))
        for number, (place, run) in enumerate(runs):
            place.kept(run.result(), loopback=number == 2)
            place.is_clean()
            shutil.rmtree(place.root)


REACHING = """
'''A third party's analyzer that calls home.'''
import socket
from nsfwforensics import Analyzer, Code, Outcome, Question, Severity


class Probe(Analyzer):
    '''Calls.'''

    name = "probe"
    version = "7"
    title = "a probe"
    question = Question.KNOWN
    codes = {"PROBE-001": Code("seen", Severity.LOW, "only a probe")}

    def examine(self, evidence):
        '''Tries.'''
        try:
            socket.socket(socket.AF_INET).close()
        except PermissionError:
            return Outcome.of([self.finding("PROBE-001", "refused")])
        return Outcome.of([])
"""


def ran(*words: object, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *map(str, words)], env=dict(environment), capture_output=True, text=True, check=False, timeout=300
    )


def test_the_kernel_refuses_whoever_calls_nevertheless(place: Place, tmp_path: Path) -> None:
    environment = place.environment(PYTHONPATH=str(plugin(tmp_path / "site", REACHING)))
    engines: list[tuple[str, ...]] = [(), ("--no-isolate",), ("--engine", "inline")]
    for engine in engines:
        done = ran("scan", CROP, "--allow-plugins", "--only", "probe", "--json", *engine, environment=environment)
        assert done.returncode == 0, done.stderr
        assert '"PROBE-001"' in done.stdout, engine


def test_commands_that_examine_nothing_refuse_at_once(place: Place) -> None:
    script = (
        "import socket; from nsfwforensics.cli.alone import alone; alone.begin('doctor'); assert alone.refuses\n"
        "try: socket.socket()\n"
        "except PermissionError: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", script], env=place.environment(), capture_output=True, text=True)
    assert done.stdout == "refused\n", done.stderr
    place.is_clean()


def test_only_commands_that_can_use_ray_wait_with_refusing() -> None:
    def takes_engine(name: str) -> bool:
        (made,) = [command for command in build(name).registered_commands if command.name == name] or [None]
        return made is not None and "engine" in getattr(made.callback, "__annotations__", {})

    assert {name for name in COMMANDS if takes_engine(name)} == EXAMINING


def test_folders_that_killed_commands_left_are_cleared_away_and_others_are_not(place: Place) -> None:
    elsewhere = place.out / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "keep").write_text("x")
    (place.temporary / "nsfwforensics-work-link").symlink_to(elsewhere)
    started = [
        subprocess.Popen([COMMAND, "scan", SAMPLES, "-q"], env=place.environment(), stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    try:
        # Folders only: whoever asks Python for the place for temporary files first tries it with a file.
        while len(folders := [one for one in place.temporary.iterdir() if one.is_dir() and not one.is_symlink()]) < 2:
            time.sleep(0.01)
        started[0].kill()
        started[0].wait()
        done = ran("hash", CROP, "--no-isolate", "-q", environment=place.environment())
        assert done.returncode == 0, done.stderr
        assert started[1].poll() is None, "else nothing was shown of a living one"
        (left,) = (folder for folder in folders if folder.exists())
        started[1].terminate()
        started[1].wait()
        assert not left.exists(), "the other one's, which it clears itself"
        assert (elsewhere / "keep").exists()
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_a_full_disk_leaves_no_names_and_hashes_behind(place: Place) -> None:
    """A report that is only printed is kept among the temporary files until then: here there is too little room."""
    import resource

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [COMMAND, "scan", SAMPLES, "--only", "metadata", "--json", "--no-isolate"], env=place.environment(),
        capture_output=True, check=False, preexec_fn=little_room, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert list(place.temporary.iterdir()) == []
