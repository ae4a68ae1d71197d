"""Searching millions of hashes on disk: segments, a manifest, and neighbours in Hamming distance."""
