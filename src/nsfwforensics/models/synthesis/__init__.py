"""The classifier for generated pictures: CLIP, a linear head, and the calibration of its scores."""
