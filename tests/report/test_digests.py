from __future__ import annotations

import hashlib
import re
from pathlib import Path

from nsfwforensics.report.saved import digests
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import write_views
from tests.report.test_saved import write


def listed(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"[0-9a-f]{64}  \S+", line) for line in lines)
    return {line[66:]: line[:64] for line in lines}


def test_every_file_of_the_report_is_listed_with_its_digest(tmp_path: Path) -> None:
    write(tmp_path / "out")
    found = listed(tmp_path / "out")
    assert set(found) == {path.name for path in (tmp_path / "out").iterdir()} - {"SHA256SUMS"}
    for name, digest in found.items():
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest


def test_views_made_again_are_listed_anew_and_an_old_pdf_goes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out)
    (out / "report.pdf").write_bytes(b"%PDF of an earlier report")
    digests.write(out)
    assert "report.pdf" in listed(out)
    write_views(SavedReport.open(out))
    assert not (out / "report.pdf").exists()
    assert "report.pdf" not in listed(out)


def test_artifacts_are_listed_and_links_are_not_followed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out)
    (out / "artifacts").mkdir()
    (out / "artifacts" / "0123456789abcdef-compare-map.png").write_bytes(b"picture")
    (tmp_path / "secret").write_bytes(b"secret")
    (out / "artifacts" / "link.png").symlink_to(tmp_path / "secret")
    digests.write(out)
    assert listed(out)["artifacts/0123456789abcdef-compare-map.png"] == hashlib.sha256(b"picture").hexdigest()
    assert "artifacts/link.png" not in listed(out)
