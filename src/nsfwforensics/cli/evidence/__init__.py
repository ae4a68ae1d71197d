"""The commands of evidence: bags, signatures, the custody log."""
