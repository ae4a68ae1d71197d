"""Which analyzers are ours: told by where their files lie, never by what a package calls itself."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from nsfwforensics.core import installation, registry
from nsfwforensics.core.registry import BUILT_IN, Registration
from nsfwforensics.errors import ForensicsError

OURS = "nsfwforensics.analyzers.phash:PerceptualHashAnalyzer"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that stands first on Python's path."""
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    registry.installed.cache_clear()
    installation.distribution.cache_clear()
    installation.version.cache_clear()


def install(site: Path, folder: str, name: str, version: str, value: str) -> Path:
    info = site / f"{folder}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", *([f"Version: {version}"] if version else [])]
    (info / "METADATA").write_text("\n".join(lines) + "\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\nprobe = {value}\nmetadata = {value}\n")
    forget()
    return info


def found() -> dict[str, Registration]:
    return {each.name: each for each in registry.installed()}


NAMES = ("nsfwforensics", "NSFWForensics", "nsfw_forensics", "nsfwforensics ", "nsfw-forensics", "nsfwforensics\u200b",
         "ｎｓｆｗｆｏｒｅｎｓｉｃｓ", "built-in", "Built In", "BUILT_IN", "unknown package", "")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", ["9.9", ""])
@pytest.mark.parametrize("folder", ["probe_package-7.0", "nsfwforensics-9.9"])
@pytest.mark.parametrize("value", ["probe_package:Probe", "nsfwforensics_probe.probe:Probe", OURS])
def test_no_name_makes_a_package_ours(site: Path, name: str, version: str, folder: str, value: str) -> None:
    ours = installation.version()
    install(site, folder, name, version, value)
    listed = found()
    assert not listed["probe"].built_in and listed["probe"].origin != BUILT_IN
    assert listed["metadata"].built_in, "ours cannot be replaced"
    assert sum(each.built_in for each in listed.values()) > 5
    assert installation.version() == ours
    if "".join(filter(str.isalnum, name.casefold())) in ("nsfwforensics", "builtin"):
        assert listed["probe"].origin.endswith("another package of that name")


def test_a_record_or_a_source_that_somebody_claims_is_not_enough(site: Path) -> None:
    """Its module has to be a file of ours; and one that was put beside ours has to be in our own record."""
    info = install(site, "nsfwforensics-9.9", "nsfwforensics", "9.9", "nsfwforensics_probe:Probe")
    (site / "nsfwforensics_probe.py").write_text("")
    (info / "RECORD").write_text("nsfwforensics_probe.py,,\nnsfwforensics/__init__.py,,\n")
    (info / "direct_url.json").write_text('{"dir_info": {"editable": true}, "url": "' + site.as_uri() + '"}')
    forget()
    assert not found()["probe"].built_in
    assert installation.version() != "9.9"
    for text in (
        "{",
        "[]",
        '{"dir_info": 1}',
        '{"dir_info": {"editable": true}}',
        '{"dir_info": {"editable": true}, "url": 3}',
    ):
        (info / "direct_url.json").write_text(text)
        forget()
        assert not found()["probe"].built_in


@pytest.mark.parametrize(
    "value", [OURS, "nsfwforensics.none_such:X", "nsfwforensics:x", "nsfwforensics.../x:y", "x", ""]
)
def test_a_module_beside_ours_counts_where_our_own_distribution_brought_it(site: Path, value: str) -> None:
    info = install(site, "probe_package-7.0", "probe-package", "7.0", value)
    assert not any(installation.is_own(entry) for entry in Distribution.at(info).entry_points)
    own = installation.distribution()
    assert own is not None
    assert all(map(installation.is_own, own.entry_points.select(group=registry.GROUP)))


def test_an_analyzer_that_declares_too_little_is_named_with_what_it_lacks(site: Path) -> None:
    (site / "probe_package.py").write_text(
        "from nsfwforensics import Analyzer\n\n\nclass Probe(Analyzer):\n    name = 'probe'\n    version = '1'\n"
    )
    install(site, "probe_package-7.0", "probe-package", "7.0", "probe_package:Probe")
    with pytest.raises(
        ForensicsError, match=r"probe \(probe-package 7\.0\) does not declare its title, question, codes"
    ):
        found()["probe"].load()
