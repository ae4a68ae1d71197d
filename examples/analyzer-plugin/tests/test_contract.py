"""The rules that every analyzer must keep."""

from nsfwforensics_bars.analyzer import BarsAnalyzer

from nsfwforensics import AnalyzerContract


class TestBars(AnalyzerContract):
    """All of them, for the bars."""

    analyzer = BarsAnalyzer
