"""While files are examined Python looks for cycles seldom; before and after, as usual."""

from __future__ import annotations

import gc

import pytest

from nsfwforensics.cli.run import rare_collections


def test_collections_are_rare_for_as_long_as_files_are_examined() -> None:
    usual, frozen = gc.get_threshold(), gc.get_freeze_count()
    with pytest.raises(KeyboardInterrupt), rare_collections():
        assert gc.get_threshold()[0] > usual[0]
        assert gc.get_freeze_count() > frozen
        assert gc.isenabled()
        raise KeyboardInterrupt
    assert gc.get_threshold() == usual
    assert gc.get_freeze_count() == 0
