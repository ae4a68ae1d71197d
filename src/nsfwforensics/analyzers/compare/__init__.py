"""Comparison with the original."""
