"""Local features: finding the same details in two pictures, or in one of many."""
