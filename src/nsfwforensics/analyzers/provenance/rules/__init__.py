"""Marks that generators, editors and services leave in metadata, as data."""
