"""Who may speak with the page: this machine's own browser, with the address that was printed, and nobody else.

A page of somebody else's that is open in the same browser can send requests to any port of this machine. It does not
know the folder that stands in the address, has no cookie for it, cannot name this page as where it comes from, and
cannot set the header that every change needs. A server of somebody else's on another port of this machine gets no
cookie of ours: cookies know no ports, but they know folders.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

COOKIE = "review"
CSRF = "x-review"
"""The header that every change carries."""

_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob: data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types review"
)
"""The page runs its own script and style, shows what its script was handed, and speaks with its own server alone."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
    "X-Robots-Tag": "noindex, nofollow",
}


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(slots=True)
class Guard:
    """The secrets of one run of the page.

    Attributes:
        host: What a request must name as its host; None where it comes through a forwarded socket, whose port is not
            known: then it must be a name of this machine.
        folder: Stands first in every address.
        csrf: What every change carries.
    """

    host: str | None
    folder: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    csrf: str = field(default_factory=_secret)
    _token: str | None = field(default_factory=_secret)
    _session: str = field(default_factory=_secret)

    @property
    def path(self) -> str:
        """The address that is printed, without the host: good for one use."""
        return f"/{self.folder}/?token={self._token}"

    def exchanged(self, token: str) -> str | None:
        """The session that the token is worth, once; None for any other."""
        if self._token is None or not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        self._token = None
        return self._session

    def refusal(self, headers: Mapping[str, str], method: str, cookie: str | None, *, entering: bool) -> str | None:
        """Why a request is refused; None where it is not.

        Args:
            headers: By name in small letters.
            method: ``GET`` or ``POST``.
            cookie: The session that it names.
            entering: Whether it brings a token in the place of a session.
        """
        host = headers.get("host", "")
        if host != self.host if self.host else not _LOOPBACK.fullmatch(host):
            return "another host"
        origin = headers.get("origin")
        if origin != f"http://{host}" if method == "POST" else origin not in (None, f"http://{host}"):
            return "another origin"
        if entering:
            return None
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "from another page"
        if cookie is None or not hmac.compare_digest(cookie.encode(), self._session.encode()):
            return "no session"
        if method == "POST" and not hmac.compare_digest(headers.get(CSRF, "").encode(), self.csrf.encode()):
            return "not from the page's script"
        if method == "POST" and headers.get("content-type", "") != "application/json":
            return "no JSON"
        return None
