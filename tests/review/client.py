"""A browser as an attacker would write it: every header by hand, nothing added and nothing hidden."""

from __future__ import annotations

import html
import http.client
import json
import re
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

CSRF = re.compile(r'data-csrf="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Speaks with a page whose address was printed."""

    address: str
    cookie: str = ""
    csrf: str = ""
    unix: str | None = None
    host: str = field(default="")

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        self.host = self.host or parts.netloc
        self.folder = parts.path
        self.port = parts.port

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str | None) -> Answer:
        """One request; headers by keyword, with _ for -, None to leave one out."""
        given: dict[str, str | None] = {"Host": self.host, "Cookie": f"review={self.cookie}" if self.cookie else None}
        if method == "POST":
            given |= {"Origin": f"http://{self.host}", "Content-Type": "application/json", "X-Review": self.csrf}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port or 80, timeout=20)
        if self.unix is not None:
            connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.sock.connect(self.unix)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def enter(self) -> Client:
        """Exchanges the token and reads the page."""
        answer = self.ask(f"{self.folder}?{urlsplit(self.address).query}")
        assert answer.status == 200, answer.text
        self.cookie = answer.headers["set-cookie"].split(";")[0].partition("=")[2]
        page = self.ask(self.folder)
        assert page.status == 200, page.text
        found = CSRF.search(page.text)
        assert found is not None
        self.csrf = html.unescape(found[1])
        return self

    def get(self, path: str, **headers: str | None) -> Answer:
        return self.ask(self.folder + path, **headers)

    def post(self, path: str, value: Any, **headers: str | None) -> Answer:
        return self.ask(self.folder + path, "POST", json.dumps(value).encode(), **headers)

    def item(self, at: int = 0, **given: str | int) -> Any:
        query = "&".join(f"{name}={value}" for name, value in {"at": at, "show": "open", **given}.items())
        answer = self.get(f"item?{query}")
        assert answer.status == 200, answer.text
        return answer.json

    def decide(self, item: Any, decision: str | None, **more: Any) -> Answer:
        value = {"contents": item["contents"], "earlier": item["earlier"], "decision": decision, **more}
        return self.post("decide", value)
