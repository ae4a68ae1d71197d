"""Digests and perceptual hashes of pictures."""
