"""The classifier for generated pictures: CLIP, a head over its middle blocks, and the calibration of its scores."""
