"""Groups of near-duplicates among many pictures: the same bytes, the same looks, the same local features."""
