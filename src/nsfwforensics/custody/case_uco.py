"""The bag in the words of CASE and UCO (JSON-LD): files, who packed them with what, and the record of it.

Cyber-investigation Analysis Standard Expression 1.5 on the Unified Cyber Ontology 1.5 (caseontology.org). Plain JSON:
no graph library is needed to write it, and ``case_validate`` checks it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from nsfwforensics.custody.operator_file import Operator
from nsfwforensics.custody.originals import BaggedFile
from nsfwforensics.report.saved.json import dumps
from nsfwforensics.report.words.text import inert

CONTEXT: Mapping[str, str] = {
    "kb": "urn:uuid:",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Packing:
    """What the document says besides the files.

    Attributes:
        tool_version: Of this tool.
        libraries: Versions by name.
        started: In UTC, ISO 8601.
        finished: In UTC, ISO 8601.
        operator: Who packed.
        case_name: Name of the case, or empty.
        sizes: Width and height in pixels by SHA-256, where the report knows them.
    """

    tool_version: str
    libraries: Mapping[str, str]
    started: str
    finished: str
    operator: Operator
    case_name: str = ""
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def write(files: Iterable[BaggedFile], packing: Packing, stream: TextIO) -> None:
    """Writes the document, one object to a line."""
    stream.write('{\n"@context": ' + dumps(dict(CONTEXT)) + ',\n"@graph": [')
    between = "\n"
    for node in _nodes(files, packing):
        stream.write(between + dumps(node))
        between = ",\n"
    stream.write("\n]\n}\n")


def _nodes(files: Iterable[BaggedFile], packing: Packing) -> Iterator[Node]:
    tool, action, record, investigation = (_name() for _ in range(4))
    originals: list[Node] = []
    copies: list[Node] = []
    for found in files:
        if found.sha256 is None or found.problem is not None:
            continue
        original = _file(found, packing, found.place)
        originals.append({"@id": original["@id"]})
        yield original
        if found.stored is not None:
            copy = _file(found, packing, f"data/{found.stored}")
            copies.append({"@id": copy["@id"]})
            yield copy
            yield {
                "@id": _name(),
                "@type": "uco-observable:ObservableRelationship",
                "uco-core:source": {"@id": copy["@id"]},
                "uco-core:target": {"@id": original["@id"]},
                "uco-core:kindOfRelationship": "Copied_From",
                "uco-core:isDirectional": True,
            }
    yield {
        "@id": tool,
        "@type": "uco-tool:Tool",
        "uco-core:name": "nsfwforensics",
        "uco-tool:toolType": "image forensics",
        "uco-tool:version": packing.tool_version,
        "uco-core:description": _text(", ".join(f"{name} {version}" for name, version in packing.libraries.items())),
    }
    performer = None
    if packing.operator.name:
        performer = _name()
        yield {
            "@id": performer,
            "@type": "uco-identity:Person",
            "uco-core:name": _text(packing.operator.name),
            **({"uco-core:description": _text(who)} if (who := _who(packing.operator)) else {}),
        }
    yield {
        "@id": record,
        "@type": "case-investigation:ProvenanceRecord",
        "uco-core:description": "Files as they were when they were packed into this bag, and their copies in it.",
        "uco-core:object": originals + copies,
        **_exhibit(packing.operator),
    }
    yield {
        "@id": action,
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": "packed into an evidence bag",
        "uco-action:startTime": _time(packing.started),
        "uco-action:endTime": _time(packing.finished),
        "uco-action:instrument": {"@id": tool},
        **({"uco-action:object": originals} if originals else {}),
        "uco-action:result": [{"@id": record}, *copies],
        **({"uco-action:performer": {"@id": performer}} if performer else {}),
    }
    yield {
        "@id": investigation,
        "@type": "case-investigation:Investigation",
        "uco-core:name": _text(packing.case_name or packing.operator.case_number or "not named"),
        "uco-core:object": [{"@id": name} for name in (action, record, tool)],
    }


def _file(found: BaggedFile, packing: Packing, path: str) -> Node:
    hashes = (("MD5", found.md5), ("SHA256", found.sha256))
    file_name = path.replace("\\", "/").rpartition("/")[2]
    facets: list[Node] = [
        {
            "@id": _name(),
            "@type": "uco-observable:FileFacet",
            "uco-observable:fileName": _text(file_name),
            "uco-observable:filePath": _text(path),
            "uco-observable:sizeInBytes": _integer(found.size),
            "uco-observable:isDirectory": False,
            **({"uco-observable:modifiedTime": _time(found.modified)} if found.modified else {}),
        },
        {
            "@id": _name(),
            "@type": "uco-observable:ContentDataFacet",
            "uco-observable:sizeInBytes": _integer(found.size),
            "uco-observable:hash": [_hash(method, value) for method, value in hashes if value],
            **({"uco-observable:mimeType": found.media_type} if found.media_type else {}),
        },
    ]
    picture = (found.media_type or "").startswith("image/")
    if picture:
        width, height = packing.sizes.get(found.sha256 or "", (None, None))
        facets.append(
            {
                "@id": _name(),
                "@type": "uco-observable:RasterPictureFacet",
                "uco-observable:pictureType": (found.media_type or "").partition("/")[2],
                **({"uco-observable:pictureWidth": _integer(width)} if width else {}),
                **({"uco-observable:pictureHeight": _integer(height)} if height else {}),
            }
        )
    kind = "uco-observable:RasterPicture" if picture else "uco-observable:File"
    return {"@id": _name(), "@type": kind, "uco-core:hasFacet": facets}


def _hash(method: str, value: str) -> Node:
    return {
        "@id": _name(),
        "@type": "uco-types:Hash",
        "uco-types:hashMethod": method,
        "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": value.upper()},
    }


def _who(operator: Operator) -> str:
    said = (("organisation", operator.organisation), ("authority", operator.authority), ("contact", operator.contact))
    return "; ".join(f"{name}: {value}" for name, value in said if value)


def _exhibit(operator: Operator) -> Node:
    number = operator.case_number
    return {"case-investigation:exhibitNumber": _text(number)} if number else {}


def _time(value: str) -> Node:
    return {"@type": "xsd:dateTime", "@value": value.removeprefix("+")}  # XML Schema writes far years without a sign


def _integer(value: int | None) -> Node:
    return {"@type": "xsd:integer", "@value": str(value or 0)}


def _text(value: str) -> str:
    """Text without what XML, and so ``xsd:string``, cannot hold."""
    return inert(value)


def _name() -> str:
    return f"kb:{uuid.uuid4()}"
