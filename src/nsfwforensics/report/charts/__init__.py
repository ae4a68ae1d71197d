"""Charts of a report where people look rather than read: drawn here as inline SVG, with the same figures as a table.

No script and no library draws them, colours come from the page's style sheet and never stand alone, and every text goes
through :func:`nsfwforensics.report.charts.svg.element`, which escapes it.
"""

from nsfwforensics.report.charts.overview import overview
from nsfwforensics.report.charts.score import score
from nsfwforensics.report.charts.timeline import timeline

__all__ = ["overview", "score", "timeline"]
