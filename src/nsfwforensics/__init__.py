"""nsfwforensics: local-first image forensics, one command and one honest report.

The names below are the public library. They are loaded on first use, so that importing the package is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nsfwforensics.api import Request, Run, compare, examine, scan
    from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, BatchAnalyzer, Code, Outcome, Resources
    from nsfwforensics.core.evidence import Evidence, Limits
    from nsfwforensics.core.types import Answer, FileReport, Finding, Question, Report, Severity, Support
    from nsfwforensics.errors import ForensicsError
    from nsfwforensics.settings import Settings

_HOMES = {
    "Analyzer": "core.analyzer",
    "AnalyzerOptions": "core.analyzer",
    "Answer": "core.types",
    "BatchAnalyzer": "core.analyzer",
    "Code": "core.analyzer",
    "Evidence": "core.evidence",
    "FileReport": "core.types",
    "Finding": "core.types",
    "ForensicsError": "errors",
    "Limits": "core.evidence",
    "Outcome": "core.analyzer",
    "Question": "core.types",
    "Report": "core.types",
    "Request": "api",
    "Resources": "core.analyzer",
    "Run": "api",
    "Settings": "settings",
    "Severity": "core.types",
    "Support": "core.types",
    "cluster": "clustering.run",
    "compare": "api",
    "examine": "api",
    "scan": "api",
}

__all__ = [
    "Analyzer",
    "AnalyzerOptions",
    "Answer",
    "BatchAnalyzer",
    "Code",
    "Evidence",
    "FileReport",
    "Finding",
    "ForensicsError",
    "Limits",
    "Outcome",
    "Question",
    "Report",
    "Request",
    "Resources",
    "Run",
    "Settings",
    "Severity",
    "Support",
    "cluster",
    "compare",
    "examine",
    "scan",
]


def __getattr__(name: str) -> Any:
    """Loads a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
