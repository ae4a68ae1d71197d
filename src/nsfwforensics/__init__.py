"""nsfwforensics: local-first image forensics, one command and one honest report.

The names below are the public library, and all that the author of an analyzer needs. They are loaded on first use, so
that importing the package is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nsfwforensics.api import Request, Run, compare, examine, scan
    from nsfwforensics.clustering.run import cluster
    from nsfwforensics.core.analyzer import (
        Analyzer,
        AnalyzerOptions,
        BatchAnalyzer,
        Code,
        Enrolment,
        Outcome,
        Resources,
    )
    from nsfwforensics.core.charts import Dates, Mark, Scale, Zone
    from nsfwforensics.core.command import Command, Listing
    from nsfwforensics.core.error_rates import error_rate
    from nsfwforensics.core.evidence import Evidence, Limits
    from nsfwforensics.core.figures import Figure
    from nsfwforensics.core.messages import say, say_count, sentences
    from nsfwforensics.core.types import (
        Answer,
        Artifact,
        Capability,
        FileInfo,
        FileReport,
        Finding,
        ModelRecord,
        Question,
        Region,
        Report,
        Severity,
        Support,
    )
    from nsfwforensics.errors import EnrolmentError, EvidenceError, ForensicsError, MissingDependencyError, UsageError
    from nsfwforensics.settings import Settings
    from nsfwforensics.testing import AnalyzerContract

_HOMES = {
    "Analyzer": "core.analyzer",
    "AnalyzerContract": "testing",
    "AnalyzerOptions": "core.analyzer",
    "Answer": "core.types",
    "Artifact": "core.types",
    "BatchAnalyzer": "core.analyzer",
    "Capability": "core.types",
    "Code": "core.analyzer",
    "Command": "core.command",
    "Dates": "core.charts",
    "Enrolment": "core.analyzer",
    "EnrolmentError": "errors",
    "Evidence": "core.evidence",
    "EvidenceError": "errors",
    "Figure": "core.figures",
    "FileInfo": "core.types",
    "FileReport": "core.types",
    "Finding": "core.types",
    "ForensicsError": "errors",
    "Limits": "core.evidence",
    "Listing": "core.command",
    "Mark": "core.charts",
    "MissingDependencyError": "errors",
    "ModelRecord": "core.types",
    "Outcome": "core.analyzer",
    "Question": "core.types",
    "Region": "core.types",
    "Report": "core.types",
    "Request": "api",
    "Resources": "core.analyzer",
    "Run": "api",
    "Scale": "core.charts",
    "Settings": "settings",
    "Severity": "core.types",
    "Support": "core.types",
    "UsageError": "errors",
    "Zone": "core.charts",
    "cluster": "clustering.run",
    "compare": "api",
    "error_rate": "core.error_rates",
    "examine": "api",
    "say": "core.messages",
    "say_count": "core.messages",
    "scan": "api",
    "sentences": "core.messages",
}

__all__ = [
    "Analyzer",
    "AnalyzerContract",
    "AnalyzerOptions",
    "Answer",
    "Artifact",
    "BatchAnalyzer",
    "Capability",
    "Code",
    "Command",
    "Dates",
    "Enrolment",
    "EnrolmentError",
    "Evidence",
    "EvidenceError",
    "Figure",
    "FileInfo",
    "FileReport",
    "Finding",
    "ForensicsError",
    "Limits",
    "Listing",
    "Mark",
    "MissingDependencyError",
    "ModelRecord",
    "Outcome",
    "Question",
    "Region",
    "Report",
    "Request",
    "Resources",
    "Run",
    "Scale",
    "Settings",
    "Severity",
    "Support",
    "UsageError",
    "Zone",
    "cluster",
    "compare",
    "error_rate",
    "examine",
    "say",
    "say_count",
    "scan",
    "sentences",
]


def __getattr__(name: str) -> Any:
    """Loads a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
