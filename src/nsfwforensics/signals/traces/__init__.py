"""Traces of editing inside one file."""
