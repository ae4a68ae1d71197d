"""What goes wrong ends in one line and a documented exit code, and costs no other file; with --debug it shows where."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.testing import contract_file
from tests.e2e.conftest import COMMAND, Ran, Runner, installed

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="shown on Linux")
BRACKETS = "x = " + "[" * 20_000 + "]" * 20_000
FAR = 10**12
"""Seconds since the epoch in the year 33658."""


def in_one_line(ran: Ran, code: int) -> str:
    """The one line of an error, once it was found to be one."""
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    assert "not foreseen" not in ran.err
    (line,) = [line for line in ran.err.splitlines() if not line.startswith("note:")]
    assert line.startswith("error: ")
    return line


@pytest.fixture
def far(tmp_path: Path, photos: Path) -> Iterator[Path]:
    """The photos on a file system that holds times in the year 33658, one of them such a file."""
    folder = Path("/dev/shm") / f"far-{os.getpid()}"
    if not Path("/dev/shm").is_dir():
        pytest.skip("no file system in memory")
    shutil.copytree(photos, folder)
    os.utime(folder / "plain.jpg", (FAR, FAR))
    if (folder / "plain.jpg").stat().st_mtime != FAR:
        shutil.rmtree(folder)
        pytest.skip("this file system does not hold such times")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A picture beside a thousand nested folders, with another picture at their end."""
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "top.jpg").write_bytes(contract_file("plain.jpg"))
    monkeypatch.chdir(folder)
    for _ in range(1000):
        Path("d").mkdir()
        os.chdir("d")
    Path("end.jpg").write_bytes(contract_file("alpha.png"))
    os.chdir(tmp_path)
    yield folder
    subprocess.run(["rm", "-r", folder], check=True)  # the library's way calls itself for every folder


@pytest.mark.slow
def test_a_file_from_the_year_33658_is_examined(run: Runner, far: Path, tmp_path: Path) -> None:
    for command in (("scan", far, "--only", "metadata", "--only", "provenance"), ("metadata", far), ("hash", far)):
        ran = run(*command, "--json", "-o", tmp_path / command[0])
        assert ran.code == 0, ran.err
        assert ran.file("plain.jpg")["info"]["modified"] == "+33658-09-27T01:46:40.000+00:00"
        assert len(ran.report["files"]) == 3
        assert run("report", tmp_path / command[0], "--lang", "ja").code == 0
    assert run("cluster", far, "-q").code == 0
    case = tmp_path / "x.case"
    for _ in range(2):
        scanned = run("scan", far, "--only", "metadata", "--case", case, "--json")
        assert scanned.code == 0, scanned.err
    assert "already done: 3 files" in scanned.err
    for command in (("case", "add", case, far), ("case", "verify", case, "--files"), ("case", "list", case)):
        assert run(*command).code == 0
    bag = tmp_path / "bag"
    assert run("evidence", "pack", far, "-o", bag, "--no-report").code == 0
    assert run("evidence", "verify", bag).code == 0


@pytest.mark.slow
def test_a_thousand_folders_in_each_other_are_walked(run: Runner, deep: Path, tmp_path: Path) -> None:
    for command in (("scan", deep, "--only", "metadata"), ("hash", deep), ("metadata", deep)):
        ran = run(*command, "--json")
        assert ran.code == 0, ran.err
        assert [Path(file["info"]["path"]).name for file in ran.report["files"]] == ["end.jpg", "top.jpg"]
    assert run("cluster", deep, "-q").code == 0
    assert run("hashlist", "import", deep, "-o", tmp_path / "index").code == 0
    assert run("case", "init", tmp_path / "x.case").code == 0
    assert run("case", "add", tmp_path / "x.case", deep).code == 0
    assert run("evidence", "pack", deep, "-o", tmp_path / "bag", "--no-report").code == 0
    assert run("search", deep, "--known", tmp_path / "index", "-q").code == 0
    original = Path(__file__).parents[2] / "samples" / "camera-original.jpg"
    assert run("compare", original, deep, "-q").code == 0


@pytest.mark.slow
@LINUX
def test_folders_too_deep_for_any_path_are_a_failure_with_its_reason(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deeper"
    folder.mkdir()
    (folder / "z.jpg").write_bytes(contract_file("plain.jpg"))
    monkeypatch.chdir(folder)
    for _ in range(100_000):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(tmp_path)
    ran = run("scan", folder, "--only", "metadata", "--json")
    subprocess.run(["rm", "-r", folder], check=True)
    assert ran.code == 4, ran.err
    reached, last = ran.report["files"]
    assert last["status"] == "ok"
    assert reached["status"] == "failed"
    assert "too long" in reached["error"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_may_not_be_read_is_a_failure(run: Runner, photos: Path) -> None:
    closed = photos / "closed"
    closed.mkdir()
    closed.chmod(0)
    ran = run("metadata", photos, "--json")
    closed.chmod(0o700)
    assert ran.code == 4
    assert "cannot be read" in ran.file("closed")["error"]


@pytest.mark.slow
@pytest.mark.parametrize("text", [BRACKETS, "[" + ".".join(["a"] * 100_000) + "]", "jobs = 1" + "0" * 400])
def test_documents_without_measure_are_refused_in_one_line(
    run: Runner, photos: Path, tmp_path: Path, text: str
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(text)
    picture = photos / "plain.jpg"
    began = time.monotonic()
    assert "bad.toml" in in_one_line(run("metadata", picture, "--config", bad), 2)
    assert "bad.toml" in in_one_line(run("helplines", "--helplines", bad), 2)
    assert "bad.toml" in in_one_line(run("notice", picture, "--law", "us", "--person", bad), 2)
    assert "bad.toml" in in_one_line(run("evidence", "pack", picture, "-o", tmp_path / "b", "--operator", bad), 2)
    shown = run("detect", picture, "--detector", bad, "--json")
    assert shown.code in (2, 3, 4)
    assert "bad.toml" in shown.out + shown.err
    assert "Traceback" not in shown.err
    assert time.monotonic() - began < 200


@pytest.mark.parametrize("options", [("--max-seconds", "inf"), ("--max-bytes", "1" + "0" * 40), ("--jobs", "999999")])
def test_limits_that_no_system_takes_are_usage_errors(run: Runner, photos: Path, options: tuple[str, str]) -> None:
    assert options[0].removeprefix("--").replace("-", "_") in in_one_line(run("metadata", photos, *options), 2)


def changed(report: Path, **values: object) -> None:
    """Writes other values into the saved document and the saved stream, so that neither is what a scan would write."""
    document = json.loads((report / "report.json").read_text())
    for file in document["files"]:
        file["info"].update(values.get("info", {}))  # type: ignore[call-overload]
        file.update(values.get("file", {}))  # type: ignore[call-overload]
    (report / "report.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    "values",
    [
        {"info": {"size": 10**400}},
        {"info": {"size": -1}},
        {"info": {"width": 10**400}},
        {"info": {"modified": "+999999999999-99-99"}},
        {"file": {"priority": "urgent"}},
        {"file": {"priority": 99}},
        {"file": {"wording": {"error": {"template": "{x}", "values": {}}}, "error": "no"}},
    ],
)
def test_a_saved_report_may_say_anything(run: Runner, photos: Path, tmp_path: Path, values: dict[str, object]) -> None:
    report = tmp_path / "report"
    assert run("metadata", photos / "plain.jpg", "-o", report, "-q").code == 0
    changed(report, **values)
    (report / "SHA256SUMS").unlink(missing_ok=True)
    ran = run("report", report)
    if ran.code:
        in_one_line(ran, 1)


OUTPUTS = [
    ("metadata", "PHOTOS", "--json"),
    ("metadata", "PHOTOS"),
    ("metadata", "PHOTOS", "--lang", "ja"),
    ("cluster", "PHOTOS", "--json"),
    ("cluster", "PHOTOS"),
    ("hash", "PHOTOS"),
    ("hash", "PHOTOS", "--format", "json"),
    ("case", "list", "CASE", "--json"),
    ("case", "list", "CASE"),
    ("case", "show", "CASE", "né-雪-\U0001f600.jpg", "--json"),
    ("evidence", "log", "CASE", "--json"),
    ("evidence", "log", "CASE"),
    ("helplines", "--lang", "ja"),
    ("notice", "PICTURE", "--law", "jp", "--lang", "ja"),
    ("notice", "PICTURE", "--law", "jp", "--lang", "ja", "--json"),
    ("analyzers",),
    ("doctor",),
    ("scan", "--help"),
]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a picture whose name no old character set holds, and a case of it."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "photos").mkdir()
    (folder / "photos" / "né-雪-\U0001f600.jpg").write_bytes(contract_file("plain.jpg"))
    subprocess.run([COMMAND, "case", "init", folder / "x.case"], check=True, capture_output=True)
    added = [COMMAND, "scan", folder / "photos", "--only", "metadata", "-q", "--case", folder / "x.case"]
    subprocess.run(added, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    "encoding",
    ["ascii", *(pytest.param(each, marks=pytest.mark.slow) for each in ("latin-1", "cp932", "utf-16"))],
)
@pytest.mark.parametrize("words", OUTPUTS, ids=" ".join)
def test_an_output_that_is_not_utf_8_loses_nothing(foreign: Path, encoding: str, words: tuple[str, ...]) -> None:
    picture = foreign / "photos" / "né-雪-\U0001f600.jpg"
    places = {"PHOTOS": foreign / "photos", "PICTURE": picture, "CASE": foreign / "x.case"}
    variables = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "200", "HOME": str(foreign)}
    done = installed([str(places.get(word, word)) for word in words], variables)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode(encoding)
    if "json" in " ".join(words):
        found = json.loads(text)
        assert words[1] == "log" or picture.name in json.dumps(found, ensure_ascii=False)
    elif words[0] in ("metadata", "case", "hash"):
        assert "n" + "é".encode(encoding, "backslashreplace").decode(encoding) + "-" in text


@LINUX
def test_the_plainest_locale_loses_nothing(foreign: Path) -> None:
    plainest = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "HOME": str(foreign)}
    for words in (("metadata", foreign / "photos"), ("hash", foreign / "photos", "--json")):
        done = subprocess.run([COMMAND, *words], env=os.environ | plainest, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="shell redirections of POSIX")
@pytest.mark.parametrize(
    ("closed", "code"),
    [(">&-", 1), ("2>&-", 0), ("<&-", 0), ("<&- 2>&-", 0), (">&- 2>&- <&-", 1), ("-q >&-", 0), ("2>/dev/full", 0)],
)
def test_streams_may_be_closed(photos: Path, tmp_path: Path, closed: str, code: int) -> None:
    report = tmp_path / "report"
    line = f'"{COMMAND}" metadata "{photos}" -o "{report}" {closed}'
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, done.stderr
    assert len(json.loads((report / "report.json").read_text())["files"]) == 3
    assert "Traceback" not in done.stderr
    if ">&-" in closed.split() and "2>&-" not in closed:
        assert "-q" in closed or done.stderr.startswith("error: the output cannot be written")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_nobody_reads_to_the_end(photos: Path) -> None:
    for words in (("--help",), ("helplines",), ("metadata", str(photos), "--json")):
        process = subprocess.Popen([COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1
        process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", [("--help",), ("helplines",), ("analyzers",), ("--version",)])
def test_help_on_a_full_device_is_an_error_in_one_line(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: the output cannot be written: No space left on device\n")


@LINUX
def test_a_disk_that_fills_up_keeps_what_was_done(run: Runner, tmp_path: Path) -> None:
    import resource

    folder, report = tmp_path / "many", tmp_path / "report"
    folder.mkdir()
    for index in range(30):
        (folder / f"{index:02}.jpg").write_bytes(contract_file("plain.jpg"))
    done = subprocess.run(
        [COMMAND, "hash", folder, "-o", report, "-q"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    line = in_one_line(Ran(done.returncode, done.stdout, done.stderr), 1)
    assert "cannot write to" in line
    assert "kept" in line
    again = run("report", report, "--json")
    assert again.code == 0, again.err
    assert 0 < len(again.report["files"]) < 30


SITE = """
import os
if os.environ["FAULT"] == "semaphores":
    import _multiprocessing
    class Refused:
        SEM_VALUE_MAX = _multiprocessing.SemLock.SEM_VALUE_MAX
        def __new__(cls, *_):
            raise OSError(30, "Read-only file system")
    _multiprocessing.SemLock = Refused
if os.environ["FAULT"] == "anything":
    import nsfwforensics.api
    class Ended(BaseException):
        def __str__(self):
            raise SystemExit(0)
    def refused(*_, **__):
        raise Ended
    nsfwforensics.api.Run.__init__ = refused
if os.environ["FAULT"] == "vanishing":
    import nsfwforensics.api, shutil, pathlib
    original = nsfwforensics.api.Run.__iter__
    def iterate(self):
        for number, file in enumerate(original(self)):
            yield file
            if number == 0:
                shutil.rmtree(self.request.exclude)
    nsfwforensics.api.Run.__iter__ = iterate
"""


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A folder to put on the module search path, so that the command has the fault that ``FAULT`` names."""
    folder = tmp_path / "faulty"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITE)
    return folder


@LINUX
def test_semaphores_that_cannot_be_made_are_an_error_in_one_line(run: Runner, photos: Path, faulty: Path) -> None:
    for command in ("metadata", "cluster"):
        ran = run(command, photos, path=faulty, FAULT="semaphores")
        assert "/dev/shm" in in_one_line(ran, 1)
    assert run("metadata", photos, "--no-isolate", path=faulty, FAULT="semaphores").code == 0


def test_what_nobody_foresaw_ends_in_one_line(run: Runner, photos: Path, faulty: Path) -> None:
    ran = run("metadata", photos, path=faulty, FAULT="anything")
    assert ran.code == 1
    assert ran.err.splitlines() == ["error: not foreseen, a fault of this program (--debug shows where): Ended"]
    shown = run("metadata", photos, "--debug", path=faulty, FAULT="anything")
    assert shown.code == 1
    assert "Traceback (most recent call last)" in shown.err
    assert "in refused" in shown.err


def test_a_folder_that_is_removed_meanwhile_is_made_again(
    run: Runner, photos: Path, faulty: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    ran = run("metadata", photos, "-o", report, "-q", path=faulty, FAULT="vanishing")
    assert ran.code == 0, ran.err
    assert len(json.loads((report / "report.json").read_text())["files"]) == 3
    assert (report / "report.html").is_file()


BREAKING = '''
import logging, sys
from nsfwforensics import Analyzer, Code, Outcome, Question, Severity

class Unreadable(Exception):
    """Cannot be made again from what it was made of."""
    def __init__(self, one, two):
        super().__init__(one)

class Interrupt(KeyboardInterrupt):
    pass

class Breaking(Analyzer):
    """Raises what the name of the file says."""
    name = "breaking"
    version = "1"
    title = "breaks"
    question = Question.KNOWN
    codes = {"BRK-001": Code("seen", Severity.LOW, "none")}

    def examine(self, evidence):
        name = evidence.path.stem
        logging.getLogger("nsfwforensics.breaking").debug("evil \\x1b[2J name")
        if name == "exit":
            sys.exit(0)
        if name == "interrupt":
            raise Interrupt
        if name == "unreadable":
            raise Unreadable(1, 2)
        if name == "recursion":
            return self.examine(evidence)
        if name == "memory":
            raise MemoryError
        if name == "garbage":
            return lambda: None
        return Outcome.of([self.finding("BRK-001", "seen")])
'''

FAULTS = ("exit", "garbage", "memory", "recursion", "unreadable")


@pytest.fixture
def breaking(tmp_path: Path, photos: Path) -> Path:
    folder = tmp_path / "site"
    info = folder / "breaking-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "breaking.py").write_text(BREAKING)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: breaking\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nsfwforensics.analyzers]\nbreaking = breaking:Breaking\n")
    for name in FAULTS:
        (photos / f"{name}.jpg").write_bytes(contract_file("plain.jpg"))
    return folder


@pytest.mark.parametrize("how", [("--jobs", "2"), ("--no-isolate",), ("--engine", "inline")], ids=" ".join)
def test_an_analyzer_may_raise_anything_wherever_it_runs(
    run: Runner, photos: Path, breaking: Path, how: tuple[str, ...]
) -> None:
    if how[0] == "--jobs":
        (photos / "interrupt.jpg").write_bytes(contract_file("plain.jpg"))
    ran = run("scan", photos, "--only", "breaking", "--allow-plugins", "--json", *how, path=breaking)
    assert ran.code == 4, ran.err
    assert ran.err == ""
    for file in ran.report["files"]:
        bad = Path(file["info"]["path"]).stem in (*FAULTS, "interrupt")
        assert file["status"] == ("failed" if bad else "ok"), file["info"]["path"]


@pytest.mark.parametrize("how", [("--jobs", "2"), ("--engine", "inline")], ids=" ".join)
def test_debug_shows_the_traceback_of_a_worker_and_nothing_that_acts(
    run: Runner, photos: Path, breaking: Path, how: tuple[str, ...]
) -> None:
    words = ("scan", photos, "--only", "breaking", "--allow-plugins", "-q", *how)
    for ran in (
        run(*words, "--debug", path=breaking),
        run("--debug", *words, path=breaking),
        run(*words, path=breaking, NSFWFORENSICS_DEBUG="1"),
    ):
        assert ran.code == 4
        assert "Traceback (most recent call last)" in ran.err
        assert "Unreadable: 1" in ran.err
        assert "breaking.py" in ran.err
        assert "evil \\u001b[2J name" in ran.err
        assert "\x1b" not in ran.err
    assert run(*words, path=breaking, NSFWFORENSICS_DEBUG="0").err == ""


@LINUX
def test_debug_shows_where_a_worker_crashed(run: Runner, photos: Path, plugin: Path) -> None:
    (photos / "segfault.jpg").write_bytes(contract_file("plain.jpg"))
    words = ("scan", photos, "--only", "probe", "--allow-plugins", "-q")
    ran = run(*words, "--debug", path=plugin)
    assert ran.code == 4
    assert "Fatal Python error: Segmentation fault" in ran.err
    assert "probe_package.py" in ran.err
    assert run(*words, path=plugin).err == ""


def test_an_analyzer_that_ends_the_program_when_it_is_loaded_does_not(
    run: Runner, photos: Path, breaking: Path
) -> None:
    (breaking / "breaking.py").write_text("raise SystemExit(0)")
    ran = run("scan", photos, "--allow-plugins", path=breaking)
    assert "breaking" in in_one_line(ran, 1)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_debug(run: Runner, command: str) -> None:
    shown = run(command, "--help")
    assert shown.code == 0
    assert "--debug" in shown.out


def test_the_module_is_the_command(photos: Path) -> None:
    for words, code in ((("--version",), 0), (("metadata", str(photos)), 0), (("metadata", "nowhere.jpg"), 2)):
        as_module = subprocess.run(
            [sys.executable, "-m", "nsfwforensics", *words], capture_output=True, text=True, check=False
        )
        as_script = subprocess.run([COMMAND, *words], capture_output=True, text=True, check=False)
        assert as_module.returncode == as_script.returncode == code
        assert as_module.stderr == as_script.stderr
        assert [line for line in as_module.stdout.splitlines() if " s " not in line] == [
            line for line in as_script.stdout.splitlines() if " s " not in line
        ]
