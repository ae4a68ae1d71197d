"""Fixtures for Content Credentials: one signer, its root certificate, and a photo that it signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analyzers.make_c2pa import Authority, action, authority, signed
from tests.formats.make import jpeg


@pytest.fixture(scope="session")
def newsroom() -> Authority:
    """A signer on no shipped trust list."""
    return authority()


@pytest.fixture(scope="session")
def anchors(newsroom: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file that makes it trusted."""
    path = tmp_path_factory.mktemp("trust") / "newsroom.pem"
    path.write_text(newsroom.root)
    return path


@pytest.fixture(scope="session")
def photo(newsroom: Authority) -> bytes:
    """A picture that it signed as taken with a camera."""
    return signed(jpeg(), action("created", "digitalCapture", "Camera 5"), by=newsroom)
