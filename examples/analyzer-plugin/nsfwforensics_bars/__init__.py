"""Plain bars along the edges of a picture."""
