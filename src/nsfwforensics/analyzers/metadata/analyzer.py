"""What a file says about itself: device, times, software, places, people, and where that does not fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from nsfwforensics.analyzers.metadata import identity, makers, sidecars, software, times, words
from nsfwforensics.analyzers.metadata import thumbnail as thumbs
from nsfwforensics.analyzers.metadata.codes import CODES, MAX_STATEMENTS, field_table, listed
from nsfwforensics.analyzers.metadata.figures import CHARTS, FIGURES
from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Outcome
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.media import EXTENSIONS, extension_matches, name_of
from nsfwforensics.core.messages import say
from nsfwforensics.core.pictures import placed
from nsfwforensics.core.quoting import cut
from nsfwforensics.core.types import Capability, Finding, Question, Region, Severity, Support
from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats import jpeg
from nsfwforensics.formats.behind import Behind, Piece
from nsfwforensics.formats.fields import Metadata, Thumbnail
from nsfwforensics.formats.jumbf import find_manifest_store
from nsfwforensics.formats.pictures import inner_pictures, pieces_behind
from nsfwforensics.formats.read import read_metadata

MAX_THUMBNAILS = 4
_STATES_ORIGIN = (
    "EXIF", "XMP", "IPTC", "Photoshop", "PNG tEXt", "PNG zTXt", "PNG iTXt", "JPEG COM", "JPEG APP", "GIF comment",
    "Samsung trailer",
)  # fmt: skip


class MetadataOptions(AnalyzerOptions):
    """Options of :class:`MetadataAnalyzer`."""

    max_fields: int = Field(default=1000, ge=0, le=5000, description="Most metadata values listed per file.")
    max_value: int = Field(default=1000, ge=16, le=100_000, description="Longest metadata value listed, in characters.")


_WEIGHT = {software.RETOUCH: Severity.MEDIUM, software.EDITOR: Severity.LOW}
"""How much a program's name matters: what alters faces and bodies most, what only develops or re-saves least."""


LEAST_BEHIND = 16
"""Fewer bytes of an unknown kind behind a picture are not worth a word."""

_SECOND_PICTURES = (b"MPF\0", b"http://ns.google.com/photos/1.0/container/", b"GCamera", b"hdrgm:", b"GDepth")
"""Marks of files that say themselves that further pictures stand behind the first."""


class MetadataAnalyzer(Analyzer):
    """Reads the metadata of a file and says what it states and where it contradicts itself.

    Needs no decoded picture but to compare an embedded thumbnail or to measure a file that is cut short.
    """

    name = "metadata"
    version = "1.2"
    title = "EXIF, XMP, IPTC and other metadata; contradictions between them"
    question = Question.ORIGIN
    method = say(
        "Reads every field that the file carries about itself (EXIF, XMP, IPTC, comments, thumbnails) and "
        "compares fields that should agree."
    )
    source = "Exif (CIPA DC-008), XMP (ISO 16684-1), IPTC Photo Metadata Standard"
    codes = CODES
    figures = FIGURES
    charts = CHARTS
    place = 30
    quick = True
    needs_pixels = False
    provides = frozenset({Capability.FIELDS})
    help = "what files say about themselves"
    Options: ClassVar[type[AnalyzerOptions]] = MetadataOptions

    def examine(self, evidence: Evidence) -> Outcome:
        """Examines one file. Never raises for damaged metadata or for a picture that cannot be decoded."""
        table = evidence.derive("metadata.table", lambda: read_metadata(evidence.data, evidence.media_type))
        parts: tuple[Callable[[Evidence, Metadata], Iterator[Finding | str]], ...] = (  # a text: what was not checked
            self._file, self._times, self._software, self._thumbnails, self._copies, self._device, self._personal,
            self._comments, self._behind, self._beside, self._limits,
        )  # fmt: skip
        told = [each for part in parts for each in part(evidence, table)]
        findings = [each for each in told if isinstance(each, Finding)]
        findings += self._inside(evidence, findings)
        measurements: dict[str, Any] = field_table(table, self.options.max_fields, self.options.max_value)
        measurements["bytes_after_image"] = None if table.end is None else evidence.size - table.end
        measurements["not_checked"] = [each for each in told if isinstance(each, str)]
        return Outcome.of(findings, measurements)

    def beside(self, picture: Path) -> Iterable[Path]:
        """The files beside a picture that hold notes about it."""
        return sidecars.places(picture)

    def _inside(self, evidence: Evidence, found: list[Finding]) -> Iterator[Finding]:
        """What pictures in the file say about themselves that the file does not: a place, a person, a program."""
        said = {(finding.code, finding.explanation) for finding in found}
        for place, part in inner_pictures(evidence):
            table = part.derive("metadata.table", partial(read_metadata, part.data, part.media_type))
            for look in (self._software, self._device, self._personal, self._comments):
                for finding in look(part, table):
                    if (finding.code, finding.explanation) not in said:
                        said.add((finding.code, finding.explanation))
                        yield placed(finding, place)

    def _file(self, evidence: Evidence, table: Metadata) -> Iterator[Finding | str]:
        suffix, media_type = evidence.path.suffix, evidence.media_type
        if media_type and suffix and not extension_matches(media_type, suffix):
            usual = EXTENSIONS[media_type][0]
            kind = name_of(media_type)
            yield self.finding(
                "META-001",
                words.extension(suffix, kind, usual),
                data={"suffix": cut(suffix, 100), "media_type": media_type},
            )
        if not table.complete:
            share, unknown = _decoded_share(evidence)
            if unknown is not None:
                yield f"how much of the picture is there: {unknown}"
            yield self.finding(
                "META-014",
                words.cut_short(share),
                data={"decoded_share": share, "bytes": evidence.size},
            )

    def _device(self, evidence: Evidence, table: Metadata) -> Iterator[Finding]:
        device = identity.device(table)
        if device is None:
            return
        if odd := makers.oddities(table, device):  # first: it tells how to take the device's name
            yield self.finding("META-018", words.odd_device(odd), data={"odd": [each.words for each in odd]})
        yield self.finding(
            "META-002",
            words.device(device),
            headline=words.device(device),
            data={key: value for key, value in asdict(device).items() if value},
        )

    def _times(self, evidence: Evidence, table: Metadata) -> Iterator[Finding]:
        stated = times.moments(table)
        usable = [moment for moment in stated if times.plausible(moment)]
        file_time = times.file_moment(evidence.mtime_ns or 0)
        for found in times.contradictions(usable, file_time):
            yield self.finding(
                "META-004",
                found.explanation,
                severity=Severity.LOW if found.kind in times.EVERYDAY else None,
                data={
                    "kind": found.kind,
                    "first": {"source": found.first.source, "text": found.first.text},
                    "second": {"source": found.second.source, "text": found.second.text},
                    "hours_apart": abs(found.hours),
                },
            )
        if usable:
            order = (times.CAPTURE, times.CREATED, times.GPS, times.MODIFIED)
            first = min(usable, key=lambda moment: order.index(moment.kind))
            known = [moment for moment in (*stated, file_time) if moment is not None]
            yield self.finding(
                "META-003",
                words.stated_times(first, len(usable)),
                data={"times": [moment.stored for moment in known[:MAX_STATEMENTS]]},
            )

    def _software(self, evidence: Evidence, table: Metadata) -> Iterator[Finding]:
        found = software.programs(table)
        known = [program for program in found if program.kind in words.SAVING]
        others = [program for program in found if program.kind not in words.SAVING]
        if known:
            changes = [program for program in known if program.kind in (software.EDITOR, software.RETOUCH)]
            main = (changes or known)[0]
            yield self.finding(
                "META-005",
                words.program(main, len(known) - 1),
                severity=_WEIGHT.get(main.kind, Severity.INFO),
                data={"programs": [program.stored for program in known[:MAX_STATEMENTS]]},
            )
        if others:
            yield self.finding(
                "META-017",
                words.program(others[0], len(others) - 1),
                data={"programs": [program.stored for program in others[:MAX_STATEMENTS]]},
            )

    def _thumbnails(self, evidence: Evidence, table: Metadata) -> Iterator[Finding | str]:
        compared: list[tuple[Thumbnail, thumbs.Comparison]] = []
        for thumbnail in table.thumbnails[:MAX_THUMBNAILS]:
            try:
                compared.append((thumbnail, thumbs.compare_embedded(evidence, table, thumbnail)))
            except EvidenceError as error:
                yield f"thumbnail in {thumbnail.source}: {error}"
        if len(table.thumbnails) > MAX_THUMBNAILS:
            yield f"{len(table.thumbnails) - MAX_THUMBNAILS:,} further thumbnails"
        different = [pair for pair in compared if pair[1].differs is not False]
        if different:
            yield self._different(evidence, different)

    def _different(self, evidence: Evidence, pairs: list[tuple[Thumbnail, thumbs.Comparison]]) -> Finding:
        thumbnail, main = min(pairs, key=lambda pair: (pair[1].differs is None, pair[1].correlation))
        region = None
        if main.differs and main.local:
            sides = evidence.image.size * 2
            x, y, width, height = (int(part * side) for part, side in zip(main.region, sides, strict=True))
            region = Region(x=x, y=y, width=width, height=height)
        return self.finding(
            "META-009",
            main.words(thumbnail.source),
            support=Support.INCONCLUSIVE if main.differs is None else Support.SUPPORTS,
            data={
                "compared": [{"thumbnail": pair[0].source} | pair[1].figures for pair in pairs],
                "thresholds": thumbs.THRESHOLDS,
            },
            region=region,
        )

    def _copies(self, evidence: Evidence, table: Metadata) -> Iterator[Finding]:
        layout = _jpeg_layout(evidence)
        for code, marks, sentence in (
            ("META-010", software.screenshot_marks(table, evidence.path.name), words.screen_copy),
            ("META-011", software.service_marks(table, evidence.path.name, layout), words.shared_copy),
        ):
            if marks:
                sure = [mark for mark in marks if mark.stated]
                main = (sure or marks)[0]
                yield self.finding(
                    code,
                    sentence(main),
                    support=Support.SUPPORTS if sure else Support.INCONCLUSIVE,
                    data={"marks": [mark.stored for mark in marks]},
                )

    def _personal(self, evidence: Evidence, table: Metadata) -> Iterator[Finding]:
        place = identity.position(table)
        if place is not None:
            yield self.finding(
                "META-006",
                words.position(place),
                data={
                    "latitude": place.latitude, "longitude": place.longitude, "altitude_metres": place.altitude,
                    "hemisphere_stated": place.hemisphere_stated, "place": place.place,
                },
            )  # fmt: skip
        people, serials = identity.people(table), identity.serials(table)
        if people:
            yield self.finding(
                "META-007",
                words.person(people),
                data={"names": listed(people)},
            )
        if serials:
            yield self.finding(
                "META-008",
                words.serial(serials),
                data={"serial_numbers": listed(serials)},
            )

    def _comments(self, evidence: Evidence, table: Metadata) -> Iterator[Finding]:
        found = identity.comments(table)
        if found:
            yield self.finding(
                "META-012",
                words.comment(found),
                # What fills a file past the limits must not become the answer to where it came from.
                support=Support.INCONCLUSIVE if table.limits else Support.SUPPORTS,
                data={"comments": listed(found)},
            )

    def _beside(self, evidence: Evidence, table: Metadata) -> Iterator[Finding | str]:
        """What lies beside a file on disk; bytes in memory have no neighbours."""
        told = sidecars.beside(evidence.path) if evidence.mtime_ns is not None else []
        yield from (each for each in told if isinstance(each, str))
        if found := [each for each in told if isinstance(each, sidecars.Sidecar)]:
            yield self.finding(
                "META-019",
                words.notes_beside(found),
                data={
                    "picture": {"file": evidence.path.name, "sha256": evidence.sha256},
                    "sidecars": [each.stored for each in found],
                },
            )

    def _behind(self, evidence: Evidence, table: Metadata) -> Iterator[Finding]:
        pieces = pieces_behind(evidence)
        declared = any(mark in evidence.data[: table.end] for mark in _SECOND_PICTURES)
        told = [
            piece
            for piece in pieces
            if piece.kind in (Piece.ZIP, Piece.PDF, Piece.TEXT)
            or (piece.kind is Piece.UNKNOWN and piece.size >= LEAST_BEHIND)
            or (piece.kind in (Piece.JPEG, Piece.PNG) and not declared)
        ]
        for piece in pieces:
            if piece.kind is Piece.REMAINS:
                yield self.finding("META-021", words.remains(piece), data={"behind": [_row(piece)]})
        if told:
            known = any(piece.kind is not Piece.UNKNOWN for piece in told)
            yield self.finding(
                "META-020",
                words.data_behind(told),
                severity=None if known else Severity.INFO,
                support=Support.INCONCLUSIVE,
                data={"behind": [_row(piece) for piece in told[:MAX_STATEMENTS]]},
            )

    def _limits(self, evidence: Evidence, table: Metadata) -> Iterator[Finding]:
        if table.limits:
            yield self.finding(
                "META-016",
                words.beyond_limits(len(table.limits)),
                support=Support.INCONCLUSIVE,
                data={"limits": list(table.limits[:MAX_STATEMENTS]), "values_left_out": table.dropped},
            )
        damaged = [note for note in table.notes if note not in table.limits]
        if damaged:
            yield self.finding(
                "META-015",
                words.damaged(len(damaged)),
                support=Support.INCONCLUSIVE,
                data={"notes": damaged[:MAX_STATEMENTS]},
            )
        if table.limits or table.unread:
            return  # nothing was found, which is not that there is nothing
        photo = evidence.media_type in ("image/jpeg", "image/webp", "image/heif", "image/avif")
        stated = any(field.group.startswith(_STATES_ORIGIN) for field in table.fields)
        if photo and not stated and find_manifest_store(evidence.data, evidence.media_type) is None:
            yield self.finding(
                "META-013",
                words.no_origin(),
                support=Support.NO_INDICATION,
            )


def _decoded_share(evidence: Evidence) -> tuple[float | None, str | None]:
    """The share of the rows that could be decoded, or why it is not known."""
    layout = _jpeg_layout(evidence)
    if layout is not None and layout.size is None:
        return None, "the file has no picture header"
    try:
        return round(evidence.decoded_share, 3), None
    except EvidenceError as error:
        return None, str(error)


def _row(piece: Behind) -> dict[str, Any]:
    return {"piece": piece.kind.value, "offset": piece.start, "bytes": piece.size}


def _jpeg_layout(evidence: Evidence) -> jpeg.JpegFile | None:
    if evidence.media_type != "image/jpeg":
        return None
    return evidence.derive("jpeg.layout", lambda: jpeg.read_jpeg(evidence.data))
