"""Views of one saved report: console, JSON, CSV, HTML."""
