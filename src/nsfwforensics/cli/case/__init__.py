"""The commands of a case."""
