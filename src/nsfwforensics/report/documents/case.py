"""A case as a report, a table or lines of JSON: what the analyzers found, and what people decided about it."""

from __future__ import annotations

import csv
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from nsfwforensics.core import installation
from nsfwforensics.core.messages import say, say_count, sentences
from nsfwforensics.core.sensitive import handled
from nsfwforensics.core.types import FileReport, Header
from nsfwforensics.evaluation.kappa import kappa
from nsfwforensics.report.documents.csv import neutral
from nsfwforensics.report.saved.json import dumps
from nsfwforensics.report.words.text import duration, shown_name
from nsfwforensics.store import reviewing
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import CaseFile, CaseInfo

COLUMNS = (
    "path",
    "sha256",
    "size_bytes",
    "media_type",
    "status",
    "priority",
    "decision",
    "note",
    "decided_by",
    "decided_at",
    "findings",
    "dismissed",
    "error",
    "added_at",
    "examined_at",
    "md5",
    "sha1",
    "pdq",
)

MOST_RUNS = 20
"""How many scans the notes of a report list, the latest of them."""


def entry(file: CaseFile) -> dict[str, Any]:
    """One file as a JSON object: where it is, what it is, how it ended, what was decided."""
    mark = file.mark
    return {
        "path": file.path,
        "sha256": file.sha256,
        "size": file.size,
        "media_type": file.media_type,
        "status": file.status,
        "priority": file.priority.value,
        "decision": mark.decision.value if mark else None,
        "note": mark.note if mark else None,
        "decided_by": mark.by if mark else None,
        "decided_at": mark.at if mark else None,
        "findings": list(file.findings),
        "dismissed": list(file.dismissed),
        "error": file.error,
        "added_at": file.added,
        "examined_at": file.examined,
    }


def report_of(case: CaseDatabase, file: CaseFile, *, thumbnails: bool = False) -> FileReport:
    """The report of a file with its marks; a picture of the evidence that a scan kept is in it only on request."""
    report = handled(case.report(file))
    if thumbnails:
        return report
    results = tuple(result.model_copy(update={"artifacts": ()}) for result in report.results)
    return report.model_copy(update={"info": report.info.model_copy(update={"thumbnail": None}), "results": results})


def full_entry(case: CaseDatabase, file: CaseFile, *, thumbnails: bool = False) -> dict[str, Any]:
    """One file with its hashes, the history of decisions, its examinations and its whole report."""
    history = case.history(file.sha256) if file.sha256 else []
    return {
        **entry(file),
        "hashes": case.hashes_of(file),
        "history": [{"decision": m.decision.value, "note": m.note, "by": m.by, "at": m.at} for m in history],
        "examinations": [
            {
                "run": past.run,
                "fingerprint": past.fingerprint,
                "finished": past.finished,
                "status": past.status,
                "sha256": past.sha256,
                "superseded": past.superseded,
            }
            for past in case.examinations(file)
        ],
        "report": report_of(case, file, thumbnails=thumbnails).model_dump(mode="json"),
    }


def json_array(entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The pieces of a JSON array with one object to a line, never in memory at once."""
    between = "[\n"
    for value in entries:
        yield between + dumps(value)
        between = ",\n"
    yield "[]\n" if between == "[\n" else "\n]\n"


def write_jsonl(case: CaseDatabase, stream: TextIO, *, thumbnails: bool = False) -> None:
    """Writes every file with all that is known of it, one JSON object to a line."""
    for file in case.files():
        stream.write(dumps(full_entry(case, file, thumbnails=thumbnails)) + "\n")


def write_csv(case: CaseDatabase, stream: TextIO) -> None:
    """Writes the files as a table that is harmless in a spreadsheet, most pressing ones first.

    Args:
        case: Open.
        stream: A text stream in UTF-8 that does not translate line ends (``newline=""``).
    """
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for file in case.files():
        values = entry(file)
        hashes = case.hashes_of(file)
        cells = [
            shown_name(values["path"]),
            *(values[name] for name in ("sha256", "size", "media_type", "status", "priority")),
            *(values[name] for name in ("decision", "note", "decided_by", "decided_at")),
            " ".join(file.findings),
            " ".join(file.dismissed),
            *(values[name] for name in ("error", "added_at", "examined_at")),
            *(hashes.get(name) for name in ("md5", "sha1", "pdq")),
        ]
        writer.writerow([neutral(cell) for cell in cells])


def review(case: CaseDatabase) -> dict[str, Any]:
    """Who decided about how much and had pictures visible for how long, and how far each two people agreed."""
    agreement = []
    for (one, other), said in reviewing.pairs(case).items():
        found = kappa(said)
        agreement.append(
            {
                "reviewers": [one, other],
                "judged_by_both": found.judged,
                "agreed": found.agreed,
                "kappa": None if found.value is None else round(found.value, 4),
                "interval_95": None
                if found.low is None or found.high is None
                else [round(found.low, 4), round(found.high, 4)],
            }
        )
    return {
        "reviewers": [
            {"name": each.name, "contents_decided": each.decided, "seconds_with_pictures_visible": each.visible}
            for each in reviewing.reviewers(case)
        ],
        "agreement": agreement,
    }


def review_notes(found: Mapping[str, Any]) -> list[str]:
    """What a report says of the people who decided.

    Args:
        found: What :func:`review` found.
    """
    notes: list[str] = [
        say(
            "{who} decided about {contents}; pictures were visible to this person for {time} on the review page.",
            who=say("A person who gave no name") if each["name"] == reviewing.NOBODY else each["name"],
            contents=say_count("{count:,} file content", "{count:,} file contents", each["contents_decided"]),
            time=duration(float(each["seconds_with_pictures_visible"])),
        )
        for each in found["reviewers"]
    ]
    for each in found["agreement"]:
        one, other = each["reviewers"]
        said = say(
            "{one} and {other} both decided about {contents} and agreed on {agreed:,}.",
            one=one,
            other=other,
            contents=say_count("{count:,} file content", "{count:,} file contents", each["judged_by_both"]),
            agreed=each["agreed"],
        )
        if each["kappa"] is None:
            beyond = say("How far that is beyond chance cannot be computed: both said one thing only.")
        else:
            low, high = each["interval_95"]
            beyond = say(
                "Cohen's kappa {kappa:.2f} (95 % interval {low:.2f} to {high:.2f}): 1 is full agreement, 0 is chance.",
                kappa=each["kappa"],
                low=low,
                high=high,
            )
        notes.append(sentences(said, beyond))
    return notes


def header(
    info: CaseInfo, runs: Sequence[Header], *, command: str, now: str, review_found: Mapping[str, Any] | None = None
) -> Header:
    """The header of a report over a whole case: everything that any of its scans used.

    Args:
        info: The case.
        runs: The headers of its scans, in their order.
        command: The command line that asks for the report.
        now: The time, in UTC.
        review_found: What :func:`review` found, to be said too.
    """
    tool = installation.version()
    base = (
        runs[-1]
        if runs
        else Header(
            version=tool,
            command=command,
            started=info.created,
            python=platform.python_version(),
            platform=platform.platform(),
            device="cpu",
            engine="none: nothing was examined yet",
            fingerprint="none",
        )
    )
    about = say(
        "Case “{name}”: {files} from {scans}. Each file shows the latest result of each check.",
        name=info.name,
        files=say_count("{count:,} file", "{count:,} files", info.files),
        scans=say_count("{count:,} scan", "{count:,} scans", info.runs),
    )
    notes: list[str] = [about]
    notes += review_notes(review_found) if review_found is not None else []
    notes += [_run_note(number, run) for number, run in list(enumerate(runs, 1))[-MOST_RUNS:]]
    values: dict[str, Any] = {
        "version": tool,
        "command": command,
        "operator": info.operator,
        "started": runs[0].started if runs else info.created,
        "finished": now,
        "interrupted": False,
        "sensitive": any(run.sensitive for run in runs),
        "analyzers": _each_once(record for run in reversed(runs) for record in run.analyzers),
        "models": _each_once(record for run in reversed(runs) for record in run.models),
        "references": _each_once(record for run in reversed(runs) for record in run.references),
        "notes": tuple(notes),
        "wording": {},
    }
    return Header.model_validate({**dict(base), **values})  # made anew, so that it keeps how its notes were made


def _run_note(number: int, run: Header) -> str:
    values = {
        "number": number,
        "version": run.version,
        "start": run.started,
        "end": run.finished or "",
        "plan": run.fingerprint[:16],
    }
    if run.finished is None:
        return say("Scan {number}: version {version}, {start} without an end, stopped by force; plan {plan}", **values)
    if run.interrupted:
        return say("Scan {number}: version {version}, {start} to {end}, interrupted; plan {plan}", **values)
    return say("Scan {number}: version {version}, {start} to {end}; plan {plan}", **values)


def _each_once(values: Iterable[Any]) -> tuple[Any, ...]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return tuple(found)
