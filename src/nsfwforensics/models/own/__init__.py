"""Models that users bring: the card that describes one, the checks before it is loaded, and its judgement."""
