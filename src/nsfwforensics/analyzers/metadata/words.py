"""The metadata analyzer's sentences, each a message that can be said in another language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nsfwforensics.analyzers.metadata import software, times
from nsfwforensics.analyzers.metadata.identity import Device, Position, Statement
from nsfwforensics.analyzers.metadata.makers import Oddity
from nsfwforensics.analyzers.metadata.sidecars import Sidecar
from nsfwforensics.core.messages import Message, say, say_count, sentences
from nsfwforensics.core.quoting import quote
from nsfwforensics.formats.behind import Behind, Piece

_PEOPLE: Mapping[str, str] = {
    "camera owner": say("a camera owner"),
    "artist": say("an artist"),
    "author": say("an author"),
    "copyright holder": say("a copyright holder"),
    "photographer": say("a photographer"),
    "contact": say("a contact"),
    "creator": say("a creator"),
    "person shown": say("a person shown"),
}
_PARTS: Mapping[str, str] = {"camera": say("camera"), "lens": say("lens")}
_KINDS: Mapping[str, str] = {
    software.EDITOR: say("a photo editor"),
    software.RETOUCH: say("a retouching app"),
    software.RAW: say("a raw developer"),
    software.RESAVER: say("a program that re-saves pictures"),
}


SAVING = frozenset({software.EDITOR, software.RETOUCH, software.RAW, software.RESAVER})
"""Kinds of programs that save pictures which came from somewhere else."""


def extension(suffix: str, kind: str, usual: str) -> Message:
    """That a file's name and content do not fit; ``usual`` is the extension that content of this kind mostly has."""
    return say(
        "The file name ends in {suffix} but the content is {format}, which usually ends in {usual}.",
        suffix=quote(suffix, 20),
        format=kind,
        usual=usual,
    )


def cut_short(share: float | None) -> Message:
    """That a file ends too early; ``share`` is how much of the picture could be decoded, 0–1, or None."""
    if share == 1.0:
        return say("The file ends without its end mark, although the whole picture could be decoded.")
    if share is None:
        return say("The file ends before its image does, so only a part of it is there.")
    return say(
        "The file ends before its image does, so only a part of it is there: about {share:.0%} of the picture could be "
        "decoded.",
        share=min(share, 0.99),
    )


def device(found: Device) -> Message:
    """The device, and the lens if one is named."""
    if found.lens:
        return say(
            "The file says it was made with the device {device} and the lens {lens}.",
            device=quote(found.words),
            lens=quote(found.lens),
        )
    return say("The file says it was made with the device {device}.", device=quote(found.words))


def stated_times(first: times.Moment, count: int) -> Message:
    """How many times are stated, and the one that matters most."""
    if first.kind == times.GPS:
        return say("The file states a satellite time: {time}.", time=first.words)
    if first.kind == times.CAPTURE:
        return say_count(
            "The file states {count} time; it was taken on {time}.",
            "The file states {count} times; it was taken on {time}.",
            count,
            time=first.words,
        )
    if first.kind == times.CREATED:
        return say_count(
            "The file states {count} time; it was created on {time}.",
            "The file states {count} times; it was created on {time}.",
            count,
            time=first.words,
        )
    return say_count(
        "The file states {count} time; it was changed on {time}.",
        "The file states {count} times; it was changed on {time}.",
        count,
        time=first.words,
    )


def program(main: software.Program, others: int) -> Message:
    """The program, and how many others are named."""
    if main.kind == software.UNKNOWN:
        if others:
            return say(
                "The file names the program {program} (and {count} more), which is not in our tables.",
                program=quote(main.text),
                count=others,
            )
        return say("The file names the program {program}, which is not in our tables.", program=quote(main.text))
    if main.kind == software.GENERATOR:
        return say(
            "The file names the program {program}, a generator of pictures; anyone can write such a name.",
            program=quote(main.text),
        )
    kind = _KINDS[main.kind]
    if others:
        return say(
            "The file names {program}, {kind} (and {count} more): consistent with having been saved by it.",
            program=main.name,
            kind=kind,
            count=others,
        )
    return say(
        "The file names {program}, {kind}: consistent with having been saved by it.", program=main.name, kind=kind
    )


def screen_copy(mark: software.CopyMark) -> str:
    """That the file may be a copy of a screen, and the date in its name."""
    return sentences(_screen_copy(mark), _dated(mark))


def _dated(mark: software.CopyMark) -> str:
    return say("Its name gives the date {date}.", date=mark.date) if mark.date else ""


def _screen_copy(mark: software.CopyMark) -> Message:
    if mark.stated:
        return say(
            "The file bears a mark of {mark}, so it may be a copy of a screen rather than the original.", mark=mark.what
        )
    return say(
        "The file is consistent with {mark}, so it may be a copy of a screen rather than the original.", mark=mark.what
    )


def shared_copy(mark: software.CopyMark) -> str:
    """That the file may be a copy that a messenger or social network made, and the date in its name."""
    return sentences(_shared_copy(mark), _dated(mark))


def _shared_copy(mark: software.CopyMark) -> Message:
    if mark.stated:
        return say(
            "The file bears a mark of {service}, so it may be a shared copy rather than the original.",
            service=mark.what,
        )
    return say(
        "The file is consistent with {service}, so it may be a shared copy rather than the original.",
        service=mark.what,
    )


def odd_device(found: Sequence[Oddity]) -> Message:
    """What about the camera that is named does not look as its maker writes it; the first in words."""
    first = found[0].words
    if len(found) > 1:
        return say(
            "The camera that is named does not look as its maker writes it: {odd} (and {count} more).",
            odd=first,
            count=len(found) - 1,
        )
    return say("The camera that is named does not look as its maker writes it: {odd}.", odd=first)


def notes_beside(found: Sequence[Sidecar]) -> Message:
    """That notes about the picture lie beside it, the first by name."""
    first = found[0]
    if len(found) > 1:
        return say(
            "Beside the file lies {name} (and {count} more): {kind}, not part of the picture.",
            name=quote(first.name),
            count=len(found) - 1,
            kind=first.kind,
        )
    return say("Beside the file lies {name}: {kind}, not part of the picture.", name=quote(first.name), kind=first.kind)


def position(place: Position) -> str:
    """Where the file says it was taken."""
    return sentences(
        say(
            "The file stores where it says it was taken: {latitude:.6f}, {longitude:.6f}.",
            latitude=place.latitude,
            longitude=place.longitude,
        ),
        ""
        if place.altitude is None
        else say("The stated height is {height:g} m above sea level.", height=place.altitude),
        "" if place.hemisphere_stated else say("It does not say which hemisphere, so the place may be another one."),
        say("This is personal data."),
    )


def person(found: Sequence[Statement]) -> Message:
    """The first name, and how many there are besides."""
    return say(
        "The file names {whom}: {name}. This is personal data.", whom=_PEOPLE[found[0].what], name=_and_more(found)
    )


def serial(found: Sequence[Statement]) -> Message:
    """The first serial number, and how many there are besides."""
    return say(
        "The file stores a serial number ({part}): {number}. It can link pictures to one device, so it is personal "
        "data.",
        part=_PARTS[found[0].what],
        number=_and_more(found),
    )


def comment(found: Sequence[Statement]) -> Message:
    """The first text, and how many there are besides."""
    return say("The file carries text: {text}.", text=_and_more(found))


def damaged(notes: int) -> Message:
    """That not all metadata could be read."""
    return say_count(
        "Some metadata is damaged or unusual and could not be read in full ({count} note).",
        "Some metadata is damaged or unusual and could not be read in full ({count} notes).",
        notes,
    )


def beyond_limits(limits: int) -> Message:
    """That limits were reached, so that the table is not all that the file says."""
    return say_count(
        "The file holds more parts or values than are read ({count} limit was reached), so it may say more about its "
        "origin than what was found.",
        "The file holds more parts or values than are read ({count} limits were reached), so it may say more about its "
        "origin than what was found.",
        limits,
    )


def no_origin() -> Message:
    """That no metadata speaks of the origin."""
    return say(
        "The metadata holds no statement of origin: no camera, time or software is named. Most platforms strip it, so "
        "this proves nothing."
    )


def _and_more(found: Sequence[Statement]) -> Message:
    first = quote(found[0].text)
    return say("{first} (and {count} more)", first=first, count=len(found) - 1) if len(found) > 1 else first


BEHIND: Mapping[Piece, str] = {
    Piece.JPEG: say("a JPEG picture"),
    Piece.PNG: say("a PNG picture"),
    Piece.ZIP: say("a ZIP archive"),
    Piece.PDF: say("a PDF document"),
    Piece.TEXT: say("text"),
    Piece.REMAINS: say("remains of a larger picture"),
    Piece.UNKNOWN: say("data of an unknown kind"),
}


def data_behind(pieces: Sequence[Behind]) -> Message:
    """What stands behind the end of a picture; at least one piece, of a kind that is told here."""
    shown = [
        say("{kind} ({size:,} bytes at byte {offset:,})", kind=BEHIND[piece.kind], size=piece.size, offset=piece.start)
        for piece in pieces[:5]
    ]
    return say("Behind the end of the picture stands more: {pieces:semicolon}.", pieces=shown)


def remains(piece: Behind) -> Message:
    """That a larger picture stood in the file before."""
    return say(
        "Behind the end of the picture stand {size:,} bytes that end as a picture does and do not begin as one: "
        "remains of a larger picture, over which this one was saved, as when a picture is cropped in place. "
        "Parts of what was cut off may be recovered from them.",
        size=piece.size,
    )
