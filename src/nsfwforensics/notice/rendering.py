"""The letter and its cover as text, Markdown or a page: one template each, three ways of writing a block.

Whatever comes from a file, the command line or the person's file is escaped for the format, and characters that act
instead of being seen are shown as escapes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from nsfwforensics.core import installation
from nsfwforensics.notice.draft import NoticeDraft, Slot, State
from nsfwforensics.report.words.text import inert, shown_name


class DraftFormat(StrEnum):
    """How a draft is written."""

    TEXT = "txt"
    MARKDOWN = "md"
    HTML = "html"


_MARKDOWN = re.compile(r"[\\`*_\[\]|~]|^\s*(?:#+|[+-]|\d+[.)])(?=\s|$)|^\s*(?:=+|-+)\s*$|://|www\.", re.IGNORECASE)
"""What would act in Markdown: marks anywhere, marks of blocks at the start, and the beginnings of links."""

_STATES = {
    "en": {"filled": "In the letter", "to_fill_in": "To be filled in", "to_confirm": "To be confirmed by you",
           "by_hand": "To be signed by you"},
    "ja": {"filled": "記載済み", "to_fill_in": "未記入", "to_confirm": "ご本人の確認が必要", "by_hand": "署名が必要"},
}  # fmt: skip
_TODO = {
    "en": {"to_fill_in": "Fill in", "to_confirm": "Confirm, or change", "by_hand": "Sign"},
    "ja": {"to_fill_in": "記入", "to_confirm": "確認または修正", "by_hand": "署名"},
}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_AUDIENCE = {
    "en": {"adult": "adults", "minor": "under 18", "anyone": "anyone", "platform": "about a platform"},
    "ja": {"adult": "成人", "minor": "18歳未満", "anyone": "どなたでも", "platform": "プラットフォームについて"},
}


def letter(draft: NoticeDraft, form: DraftFormat) -> str:
    """The letter alone, ready to be sent once what is marked has been filled in."""
    return _rendered(draft, form, f"{draft.law.value}.{draft.letter_language}.j2", draft.letter_language)


def cover(draft: NoticeDraft, form: DraftFormat) -> str:
    """What is for the person only: what comes first, what is missing, where to send it, whom to turn to."""
    return _rendered(draft, form, f"cover.{draft.language}.j2", draft.language)


def _rendered(draft: NoticeDraft, form: DraftFormat, template: str, language: str) -> str:
    environment = _environment(form)
    blocks: Any = environment.get_template(f"blocks.{form.value}.j2").module
    body = environment.get_template(template).render(
        b=blocks,
        draft=draft,
        person=draft.person,
        regime=draft.regime,
        language=language,
        asked=draft.asked,
        states=_STATES[language],
        todo=_TODO[language],
        audience=_AUDIENCE[language],
        version=installation.version(),
        slot=draft.slot,
        State=State,
        fill=lambda name: _marked(draft.slot(name), language, form),
        confirm=lambda name: _to_confirm(draft.slot(name), language, form),
        when=lambda text: _month(text, language),
        code=lambda value: _CODE[form](shown_name(value)),
    )
    lines = re.sub(r"\n{3,}", "\n\n", body.strip()) + "\n"
    if form is not DraftFormat.HTML:
        return lines
    style = files("nsfwforensics.notice").joinpath("templates/letter.css").read_text("utf-8")
    page = environment.get_template("page.html.j2")
    title = {"en": "Removal request", "ja": "削除の申出"}[language]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return page.render(
        body=Markup(lines),  # noqa: S704 - made by our own templates, every value in it escaped
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=f"sha256-{digest}",
        language=language,
        title=title,
    )


def _markdown(text: str) -> Markup:
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(_MARKDOWN.sub(lambda mark: f"{mark[0][:-1]}\\{mark[0][-1]}", plain))  # noqa: S704


def _markdown_code(text: str) -> Markup:
    """A code span, in which nothing is active, whatever backticks are in it."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    inside = f" {text} " if text.startswith("`") or text.endswith("`") else text
    return Markup(f"{fence}{inside}{fence}")  # noqa: S704


_ESCAPE: dict[DraftFormat, Callable[[str], Markup]] = {
    DraftFormat.TEXT: lambda text: Markup(text),  # noqa: S704 - plain text: nothing in it acts
    DraftFormat.MARKDOWN: _markdown,
    DraftFormat.HTML: escape,
}
_CODE: dict[DraftFormat, Callable[[str], Markup]] = {
    DraftFormat.TEXT: lambda text: Markup(text),  # noqa: S704
    DraftFormat.MARKDOWN: _markdown_code,
    DraftFormat.HTML: lambda text: Markup("<code>{}</code>").format(text),
}
_BREAK = {DraftFormat.TEXT: "\n", DraftFormat.MARKDOWN: "\\\n", DraftFormat.HTML: Markup("<br>\n")}


def _value(value: object, form: DraftFormat) -> Markup:
    """A value in a format, in one line."""
    return _ESCAPE[form](inert(value))


def _marker(text: str, form: DraftFormat) -> Markup:
    if form is DraftFormat.HTML:
        return Markup("<mark>{}</mark>").format(text)
    return Markup(f"**{text}**" if form is DraftFormat.MARKDOWN else text)  # noqa: S704 - our own words


def _marked(slot: Slot, language: str, form: DraftFormat) -> Markup:
    """The value of a field, or a mark that cannot be overlooked."""
    if slot.value is not None:
        return Markup(_BREAK[form]).join(_value(line, form) for line in slot.value.split("\n"))  # noqa: S704
    label = slot.entry.say(language)
    return _marker(f"【要記入：{label}】" if language == "ja" else f"[PLEASE FILL IN: {label}]", form)


def _to_confirm(slot: Slot, language: str, form: DraftFormat) -> Markup:
    """A mark before a sentence that the person has not yet made hers; nothing where she has."""
    if slot.state is State.FILLED:
        return Markup("")
    text = "【内容を確認し、事実と異なる場合は修正】" if language == "ja" else "[PLEASE CONFIRM, OR CHANGE:]"
    return _marker(text, form) + ("" if language == "ja" else " ")


def _month(text: str, language: str) -> str:
    """``2026-11`` as people write a month; a whole date stays as it is."""
    year, month, *day = text.split("-")
    if day:
        return text
    return f"{year}年{int(month)}月" if language == "ja" else f"{_MONTHS[int(month) - 1]} {year}"


@cache
def _environment(form: DraftFormat) -> Environment:
    def finalize(value: object) -> object:
        return value if isinstance(value, Markup) else _value(value, form)

    return Environment(
        loader=PackageLoader("nsfwforensics.notice"),
        autoescape=True,  # everything in it is marked as safe for its format by `finalize`, in every format
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
