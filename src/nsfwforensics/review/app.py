"""The page's server: which address does what. Every answer is made here or by templates; no file is read by name."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files as package_files
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nsfwforensics.core.documents import read_json
from nsfwforensics.core.evidence import Limits
from nsfwforensics.core.messages import say
from nsfwforensics.errors import CaseError, EvidenceError, ForensicsError, UsageError
from nsfwforensics.language import Language
from nsfwforensics.review.desk import Desk
from nsfwforensics.review.filters import Filters
from nsfwforensics.review.guard import COOKIE, HEADERS, Guard
from nsfwforensics.review.pages import Pages
from nsfwforensics.review.pictures import Booth
from nsfwforensics.store.deciding import DecidedMeanwhileError
from nsfwforensics.store.rows import Decision

T = TypeVar("T")

_log = logging.getLogger(__name__)

MOST_BODY = 256 * 1024
"""Most bytes that a request may carry."""

MOST_ADDRESS = 2000

_ASSETS = {
    "review.js": ("text/javascript; charset=utf-8", "nsfwforensics.review", "templates/review.js"),
    "review.css": ("text/css; charset=utf-8", "nsfwforensics.review", "templates/review.css"),
    "report.css": ("text/css; charset=utf-8", "nsfwforensics.report.page", "templates/report.css"),
}


class Reviewing:
    """A desk that is served. Started and ended by whoever serves it.

    Args:
        open_desk: Opens the desk; called in the thread that it belongs to.
        guard: Its secrets.
        language: Of the page.
        limits: What a file may ask for whose picture is shown.
    """

    def __init__(self, open_desk: Callable[[], Desk], guard: Guard, language: Language, limits: Limits) -> None:
        self.guard = guard
        self._language = language
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="case")
        self._desk = self._thread.submit(open_desk).result()
        self._pages = self._thread.submit(lambda: Pages(self._desk, language)).result()
        # Goes on while the server starts and the reviewer opens the address; what is asked for meanwhile waits.
        self._thread.submit(self._pages.prepare)
        self._booth = Booth(limits)
        routes = (
            ("", "GET", self._shell),
            ("file/{name}", "GET", self._asset),
            ("choices", "GET", self._choices),
            ("item", "GET", self._item),
            ("decide", "POST", self._decide),
            ("undo", "POST", self._undo),
            ("visible", "POST", self._visible),
            ("picture", "POST", self._picture),
        )
        self.app = Starlette(
            routes=[
                Route(f"/{guard.folder}/{path}", self._guarded(call, method), methods=[method])
                for path, method, call in routes
            ],
            exception_handlers={404: _nothing, 405: _nothing},
        )

    def close(self) -> None:
        """Ends it: the log is written, the case is closed, the worker goes."""
        self._booth.close()
        try:
            self._thread.submit(self._desk.close).result()
        finally:
            self._thread.shutdown()

    async def _at_desk(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    def _guarded(
        self, call: Callable[[Request], Awaitable[Response]], method: str
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if request.method != method or len(request.url.query) > MOST_ADDRESS:  # HEAD comes with GET
                return _refused(405, "not allowed")
            token = request.query_params.get("token") if call == self._shell else None
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers.raw}
            reason = self.guard.refusal(headers, method, request.cookies.get(COOKIE), entering=token is not None)
            if reason is not None:
                _log.debug("refused: %s", reason)
                return _refused(403, self._says(_CLOSED))
            if token is not None:
                return self._enter(token)
            try:
                return await call(request)
            except DecidedMeanwhileError as error:
                return _json({"problem": self._says(error.message), "again": True}, 409)
            except UsageError as error:
                return _json({"problem": self._says(error.message)}, 400)
            except EvidenceError as error:
                return _json({"problem": self._says(error.message)}, 404)
            except CaseError as error:
                return _json({"problem": self._says(error.message)}, 503)
            except (ForensicsError, OSError) as error:
                _log.debug("failed", exc_info=True)
                return _json({"problem": self._says(str(error))}, 500)

        return answer

    def _says(self, message: str) -> str:
        return self._language.says(message)

    def _enter(self, token: str) -> Response:
        session = self.guard.exchanged(token)
        if session is None:
            return _refused(403, self._says(_CLOSED))
        response = _answer(self._pages.entering(), "text/html; charset=utf-8")
        response.set_cookie(
            COOKIE, session, path=f"/{self.guard.folder}/", httponly=True, samesite="strict", secure=False
        )
        return response

    async def _shell(self, request: Request) -> Response:
        del request
        return _answer(await self._at_desk(self._pages.shell, self.guard.csrf), "text/html; charset=utf-8")

    async def _asset(self, request: Request) -> Response:
        known = _ASSETS.get(request.path_params["name"])
        return _refused(404, "nothing here") if known is None else _answer(_asset(*known[1:]), known[0])

    async def _choices(self, request: Request) -> Response:
        del request
        return _answer(await self._at_desk(self._pages.choices), "text/html; charset=utf-8")

    async def _item(self, request: Request) -> Response:
        given = request.query_params
        filters = Filters.of(given)
        number, way = _number(given.get("at", "0")), -1 if given.get("way") == "back" else 1
        fresh, exact = bool(given.get("fresh")), bool(given.get("exact"))
        return _json(await self._at_desk(self._pages.item, filters, number, way, exact, fresh))

    async def _decide(self, request: Request) -> Response:
        body, filters = await _body(request), Filters.of(request.query_params)
        contents, earlier = _texts(body, "contents"), body.get("earlier", {})
        if not isinstance(earlier, dict) or not all(type(value) is int for value in earlier.values()):
            raise UsageError(_NONSENSE)
        decision = None
        if (said := body.get("decision")) is not None:
            try:
                decision = Decision(said)
            except ValueError:
                raise UsageError(_NONSENSE) from None
        note = body.get("note", "")
        if not isinstance(note, str):
            raise UsageError(_NONSENSE)
        dismiss, restore = _texts(body, "dismiss"), _texts(body, "restore")

        def decided() -> int:
            self._desk.visible(_seconds(body))
            self._desk.decide(contents, earlier, decision, note, dismiss, restore)
            return self._desk.left(filters)

        return _json({"left": await self._at_desk(decided)})

    async def _undo(self, request: Request) -> Response:
        await _body(request)
        return _json({"contents": await self._at_desk(self._desk.undo)})

    async def _visible(self, request: Request) -> Response:
        seconds = _seconds(await _body(request))
        await self._at_desk(self._desk.visible, seconds)
        return _json({"visible": round(self._desk.tally.visible)})

    async def _picture(self, request: Request) -> Response:
        body = await _body(request)
        file, view, step = (body.get(name) for name in ("file", "view", "step"))
        if not (type(file) is int and type(view) is int and type(step) is int):
            raise UsageError(_NONSENSE)
        wanted = await self._at_desk(self._desk.picture, file, view, step)
        picture = await asyncio.wrap_future(self._booth.picture(wanted))
        await self._at_desk(self._desk.looked, wanted)
        return _answer(picture, "image/jpeg")


_CLOSED = say(
    "This page is closed to you. The address that was printed is good for one browser; end the command with Ctrl-C and "
    "start it again for another."
)
_NONSENSE = say("the request makes no sense")


@cache
def _asset(package: str, path: str) -> bytes:
    return (package_files(package) / path).read_bytes()


def _answer(content: str | bytes, media_type: str, status: int = 200) -> Response:
    return Response(content, status, HEADERS, media_type)


def _json(value: Mapping[str, Any], status: int = 200) -> Response:
    return _answer(json.dumps(value), "application/json", status)


def _refused(status: int, why: str) -> Response:
    return _answer(f"{why}\n", "text/plain; charset=utf-8", status)


async def _nothing(request: Request, error: Exception) -> Response:
    del request, error
    return _refused(404, "nothing here")


async def _body(request: Request) -> dict[str, Any]:
    """What a request carries.

    Raises:
        UsageError: It is too long, or no JSON object.
    """
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BODY:
            raise UsageError(say("the request is too long"))
    try:
        value = read_json(data or b"{}")
    except ValueError:
        raise UsageError(_NONSENSE) from None
    if not isinstance(value, dict):
        raise UsageError(_NONSENSE)
    return value


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError(_NONSENSE)
    return int(text)


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UsageError(_NONSENSE)
    return value


def _seconds(body: Mapping[str, Any]) -> float:
    value = body.get("visible", 0)
    if type(value) not in (int, float) or not 0 <= value <= 86_400:
        raise UsageError(_NONSENSE)
    return float(value)
