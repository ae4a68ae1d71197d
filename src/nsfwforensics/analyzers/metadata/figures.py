"""What the figures of the metadata analyzer are called, and the dates for the time line."""

from __future__ import annotations

from nsfwforensics.analyzers.metadata import software, times, words
from nsfwforensics.core.charts import FILE_SYSTEM, Chart, Dates
from nsfwforensics.core.figures import Figure, Figures
from nsfwforensics.core.messages import say

_TIMES = {
    times.CAPTURE: say("taken"),
    times.CREATED: say("created"),
    times.MODIFIED: say("changed"),
    times.GPS: say("satellite time"),
}

FIGURES: Figures = {
    "max_fields": say("most values listed"),
    "max_value": say("longest value listed, in characters"),
    "fields": say("fields"),
    "fields_read": say("fields read"),
    "fields_left_out": say("fields left out"),
    "end_of_image": say("end of the picture"),
    "bytes_after_image": say("bytes after the end of the picture"),
    "behind": say("what stands behind the picture"),
    "piece": Figure(say("what it is"), {piece.value: text for piece, text in words.BEHIND.items()}),
    "offset": say("place in the file, in bytes"),
    "thumbnails": say("thumbnails"),
    "thumbnail": say("thumbnail"),
    "source": Figure(say("source"), {FILE_SYSTEM: say("file system")}),
    "group": say("group"),
    "tag": say("tag"),
    "value": say("value"),
    "bytes": say("bytes"),
    "notes": Figure(
        say("notes"),
        {
            "The JPEG data ends before its end-of-image marker.": say(
                "The JPEG data ends before its end-of-image marker."
            )
        },
    ),
    "not_checked": say("not checked"),
    "suffix": say("file name extension"),
    "media_type": say("type"),
    "decoded_share": say("share that could be decoded"),
    "make": say("maker"),
    "model": say("model"),
    "lens": say("lens"),
    "place": Figure(say("place"), {"file name": say("file name")}),
    "kind": Figure(
        say("kind"),
        {
            **_TIMES,
            times.FILE: say("file time"),
            software.EDITOR: say("photo editor"),
            software.RETOUCH: say("retouching app"),
            software.RAW: say("raw developer"),
            software.RESAVER: say("program that re-saves pictures"),
            software.GENERATOR: say("generator of pictures"),
            software.UNKNOWN: say("unknown program"),
            times.CHANGED_LATER: say("changed after it was taken"),
            "changed_before_capture": say("changed before it was taken"),
            "capture_after_file_time": say("taken after the time of the file"),
            "gps_time": say("satellite time"),
            "two_taken_times": say("two times of capture"),
            "two_changed_times": say("two times of last change"),
        },
    ),
    "times": say("times"),
    "when": say("time"),
    "first": say("first"),
    "second": say("second"),
    "hours_apart": say("hours apart"),
    "programs": say("programs"),
    "name": say("name"),
    "text": say("text"),
    "compared": say("compared"),
    "correlation": say("correlation"),
    "largest_block_difference": say("largest block difference"),
    "thresholds": say("thresholds"),
    "same_from": say("same from"),
    "other_below": say("other below"),
    "block_difference_above": say("largest block difference allowed"),
    "marks": say("marks"),
    "what": Figure(
        say("what"),
        {
            "camera owner": say("camera owner"),
            "artist": say("artist"),
            "author": say("author"),
            "contact": say("contact"),
            "copyright holder": say("copyright holder"),
            "creator": say("creator"),
            "person shown": say("person shown"),
            "photographer": say("photographer"),
            "camera": say("camera"),
            "lens": say("lens"),
            "comment": say("comment"),
        },
    ),
    "stated": say("stated"),
    "date": say("date"),
    "odd": say("what is odd"),
    "picture": say("picture"),
    "file": say("file"),
    "sha256": say("SHA-256"),
    "sidecars": say("notes beside the picture"),
    "says": say("what it says"),
    "latitude": say("latitude"),
    "longitude": say("longitude"),
    "altitude_metres": say("altitude in metres"),
    "hemisphere_stated": say("hemisphere stated"),
    "names": say("names"),
    "serial_numbers": say("serial numbers"),
    "comments": say("comments"),
    "limits": say("limits reached"),
    "values_left_out": say("values left out"),
}

CHARTS: tuple[Chart, ...] = (Dates(codes=("META-003",), dates="data.times", kinds=_TIMES, conflicts=("META-004",)),)
