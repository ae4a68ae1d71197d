"""Content Credentials (C2PA): read, checked against the trust list, and put into words."""
