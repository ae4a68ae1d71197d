"""Loaded last by the server from which workers are forked: what was loaded stays, and garbage is looked for again.

Looking for it costs a tenth of the loading, in which nothing is thrown away; and what is frozen is never looked through
in a worker, whose memory stays shared with the server's for it.
"""

from __future__ import annotations

import gc

gc.freeze()
gc.enable()
