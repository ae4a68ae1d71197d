"""Lists of known hashes: reading the formats that others write, and writing them."""
