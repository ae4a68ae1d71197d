"""The case database: every file, result, hash and decision of an investigation in one SQLite file.

Nothing outside this package speaks SQL.
"""
