"""Pixels to measured signals, no opinions: what is written into, or left behind in, the samples of a picture."""
