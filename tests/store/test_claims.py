"""Claims end with their process, however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.store.claims import Claims, claim_key

HOLDER = """
import sys
from pathlib import Path
from nsfwforensics.store.claims import Claims, claim_key
claims = Claims(Path(sys.argv[1]))
print(claims.take(claim_key(b"/a")), claims.take(claim_key(b"/b")), flush=True)
sys.stdin.read()
"""


def test_a_claim_keeps_others_out_until_its_process_dies(tmp_path: Path) -> None:
    case = tmp_path / "c.db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(case)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True True\n"
        claims = Claims(case)
        assert not claims.take(claim_key(b"/a"))
        assert claims.take(claim_key(b"/c"))
        holder.kill()
        holder.wait()
    assert claims.take(claim_key(b"/a"))
    claims.release(claim_key(b"/a"))
    claims.close()
    assert claims.path.stat().st_size == 0
    assert claims.path.stat().st_mode & 0o777 == 0o600


@given(st.binary(max_size=50))
def test_a_key_is_an_offset_that_every_system_takes(path: bytes) -> None:
    assert 0 <= claim_key(path) < 2**62
    assert claim_key(path) == claim_key(path)
