"""The words that every view uses."""
