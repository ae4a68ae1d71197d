"""People decide: a page over a case that only this machine can open, and that shows nothing that was not asked for."""
