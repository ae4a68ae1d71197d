"""The charts that an analyzer asks for, by the shape of its data; they stand in the report's header.

A place names where in a result something stands: ``data.distance`` in a finding's data, ``measurements.score`` in what
was measured, numbers for items of lists (``data.matches.0.distance``), ``*`` for all of them, and ``@box`` for those
whose ``box`` is the region of the finding.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nsfwforensics.core.worded import Model, Text

Place = str


class Mark(Model):
    """A value of the examined picture, or a fixed one to compare it with.

    Attributes:
        value: The number, or where it stands.
        name: What it is (``this picture``).
    """

    value: Place | float
    name: Text


class Zone(Model):
    """What may be said of values between two others.

    Attributes:
        name: In a word or two.
        start: The number, or where it stands; open below if None.
        end: The number, or where it stands; open above if None.
        undecided: Whether nothing follows from a value here. Such a zone is tinted, and where an end of it was not
            measured it reaches to the edge; another zone without its end is not drawn.
    """

    name: Text
    start: Place | float | None = None
    end: Place | float | None = None
    undecided: bool = False


class Scale(Model):
    """A value on a scale, beside the distributions that were measured for known pictures, if there are any.

    Attributes:
        codes: The findings that it stands beside.
        title: Names the chart.
        unit: Of the axis.
        marks: Values, the main one first.
        zones: What may be said where.
        distribution: Where the counts stand: ``start``, ``step`` and ``groups``, lists of counts by group; the first
            and the last bin hold everything beyond as well.
        groups: What the groups of the distribution are, by key; others are not drawn.
        counted: Where it stands how many of each group lie as high, as ``[count, total]`` by group.
        ends: Of the axis, where there is no distribution.
        lines: What the lines are, where there are several.
        caption: Further sentences on how to read it.
    """

    shape: Literal["scale"] = "scale"
    codes: tuple[str, ...]
    title: Text
    unit: Text
    marks: tuple[Mark, ...]
    zones: tuple[Zone, ...] = ()
    distribution: Place = ""
    groups: dict[str, Text] = Field(default_factory=dict)
    counted: Place = ""
    ends: tuple[float, float] | None = None
    lines: Text = ""
    caption: tuple[Text, ...] = ()


class Dates(Model):
    """Dates that a file states, for the one time line of all of them.

    Attributes:
        codes: The findings that hold them.
        dates: Where they stand: a list of ``kind``, ``source``, ``text`` and ``when`` (ISO 8601, without an offset
            where none is stated), or one date as text.
        kinds: What the kinds are, by code; dates of other kinds are left out.
        kind: What a single date is.
        source: Where a single date stands in the file.
        conflicts: The findings that two dates do not fit together; their data names them as ``first`` and ``second``,
            each by ``source`` and ``text``.
    """

    shape: Literal["dates"] = "dates"
    codes: tuple[str, ...]
    dates: Place
    kinds: dict[str, Text] = Field(default_factory=dict)
    kind: Text = ""
    source: Text = ""
    conflicts: tuple[str, ...] = ()


Chart = Annotated[Scale | Dates, Field(discriminator="shape")]

FILE_SYSTEM = "file system"
"""The source of a date that is the file's own."""
