"""Container and metadata parsers: bytes in, fields out, no opinions."""
