"""Signatures of pictures on their way into a case: computed beside the hashes, kept in a table of their own.

An analyzer hands one over as an artifact of a private media type, named by its method. Reports know no such type and
leave it out; a case keeps it with the content, not with the examination.
"""

from __future__ import annotations

from nsfwforensics.core.types import AnalyzerResult, Artifact

MEDIA_TYPE = "application/x-nsfwforensics-signature"


def as_artifact(method: str, signature: bytes) -> Artifact:
    """A signature on its way.

    Args:
        method: Name and version of what computed it.
        signature: In the method's own form.
    """
    return Artifact(name=method, media_type=MEDIA_TYPE, data=signature)


def taken_out(result: AnalyzerResult) -> tuple[AnalyzerResult, dict[str, bytes]]:
    """A result without its signatures, and these by method."""
    signatures = {
        artifact.name: artifact.data
        for artifact in result.artifacts
        if artifact.media_type == MEDIA_TYPE and artifact.data is not None
    }
    if not signatures:
        return result, {}
    others = tuple(artifact for artifact in result.artifacts if artifact.media_type != MEDIA_TYPE)
    return result.model_copy(update={"artifacts": others}), signatures
