"""Engines: the same plan in this process, in a pool of processes, or on a cluster."""
