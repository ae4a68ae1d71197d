"""Perceptual hashes of one picture: PDQ, and the 64-bit hashes beside it."""
