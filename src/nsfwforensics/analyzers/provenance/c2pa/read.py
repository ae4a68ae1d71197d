"""Reading a manifest store with the C2PA library: offline, and against one trust list after the other."""

from __future__ import annotations

import io
import json
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from nsfwforensics.errors import UsageError

OFFICIAL, SUPPLIED, INTERIM = "official", "supplied", "interim"

MAX_JSON = 8 * 1024 * 1024
"""Longest manifest store looked at, in characters of JSON."""

OFFLINE: Mapping[str, Any] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    # Identity assertions of the Creator Assertions Working Group are checked by fetching a document from a host that
    # the file names, whatever remote_manifest_fetch says; so they are not decoded, and no host is allowed either.
    "core": {"decode_identity_assertions": False, "allowed_network_hosts": [], "allow_redirects": False},
}
"""Settings under which the library opens no socket."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the library says of one file.

    Attributes:
        store: The manifest store as JSON; empty where there is none or it could not be read.
        detail: The same in crJSON, which also describes certificates and validates every manifest by itself.
        trust: For the label of each manifest with a trusted signer, the list that it is on.
        problem: The library's reason for not reading it, else empty.
        size: Length of the store as JSON, in characters.
    """

    store: dict[str, Any] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    trust: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    size: int = 0


_LIKE = {"image/avci": "image/heif", "image/x-canon-cr3": "image/heif", "video/3gpp": "video/mp4"}
"""Formats that the library does not know by name, and the one that it knows of the same structure."""


def read_store(data: bytes, media_type: str, anchors: tuple[Path, ...] = ()) -> Reading:
    """Reads and validates the manifest store embedded in a file.

    Args:
        data: The whole file.
        media_type: What the bytes are.
        anchors: PEM files of further certificates to trust.

    Raises:
        UsageError: A file of ``anchors`` cannot be used.
    """
    lists = trust_lists(anchors)
    first = Reading()
    for number, (name, trust) in enumerate(lists.items()):
        reading = _read(data, media_type, trust)
        if number == 0:
            first = reading
        if reading.problem or not reading.store:
            return first
        for label in _trusted(reading.detail):
            first.trust.setdefault(label, name)
            if label == reading.store.get("active_manifest") and first.trust[label] == name:
                # Validated against a list that its signer is on: no spurious failure about the certificate.
                first = Reading(reading.store, reading.detail, first.trust, size=reading.size)
        if len(first.trust) >= len(first.store.get("manifests") or ()):
            break
    return first


def _read(data: bytes, media_type: str, trust: Mapping[str, str]) -> Reading:
    import c2pa

    try:
        context = c2pa.Context.from_dict({**OFFLINE, "trust": dict(trust)})
        reader = c2pa.Reader.try_create(_LIKE.get(media_type, media_type), io.BytesIO(data), None, context)
        if reader is None:
            return Reading()
        with reader:
            texts = reader.json(), reader.crjson()
        if max(map(len, texts)) > MAX_JSON:
            return Reading(problem="the credentials are larger than the limit")
        store, detail = (json.loads(text) for text in texts)
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        return Reading(problem=str(error) or type(error).__name__)
    if not isinstance(store, dict) or not isinstance(detail, dict):
        return Reading(problem="the credentials have no known structure")
    return Reading(store, detail, size=len(texts[0]))


def _trusted(detail: Mapping[str, Any]) -> list[str]:
    """Labels of the manifests whose signer was found on the list that was used."""
    return [
        str(manifest.get("label"))
        for manifest in detail.get("manifests") or ()
        if any(
            status.get("code") == "signingCredential.trusted"
            for status in (manifest.get("validationResults") or {}).get("success") or ()
        )
    ]


@lru_cache(maxsize=4)
def trust_lists(anchors: tuple[Path, ...] = ()) -> dict[str, dict[str, str]]:
    """The library's trust settings by name of the list, the most authoritative first.

    Raises:
        UsageError: A file of ``anchors`` cannot be read, or holds no certificate.
    """
    usages, times = _shipped("ekus.cfg"), _shipped("official_timestamps.pem")
    lists = {OFFICIAL: {"trust_anchors": _shipped("official_signers.pem") + times}}
    if anchors:
        supplied = "\n".join(_anchor_file(path) for path in anchors)
        lists[SUPPLIED] = {"trust_anchors": times, "user_anchors": supplied}
    lists[INTERIM] = {
        "trust_anchors": times + _shipped("interim_signers.pem"),
        "allowed_list": _shipped("interim_certificates.sha256"),
    }
    return {name: {**trust, "trust_config": usages} for name, trust in lists.items()}


def list_dates() -> dict[str, str]:
    """The dates of the shipped trust lists, ISO 8601, by name."""
    sources = tomllib.loads(_shipped("sources.toml"))
    return {name: str(sources[f"{name}_signers.pem"]["date"]) for name in (OFFICIAL, INTERIM)}


def library_version() -> str:
    """The version of the C2PA library."""
    import c2pa

    return str(c2pa.sdk_version())


def nested_deeper(value: object, levels: int) -> bool:
    """Whether JSON is nested deeper than this; found without recursion."""
    layer: list[object] = [value]
    for _ in range(levels):
        layer = [
            item
            for each in layer
            if isinstance(each, (dict, list))
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        if not layer:
            return False
    return True


def _anchor_file(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, ValueError, ssl.SSLError) as error:
        raise UsageError(f"{path}: not a PEM file of certificates ({error})") from error
    return text


def _shipped(name: str) -> str:
    return (files("nsfwforensics") / "data" / "c2pa" / name).read_text(encoding="ascii")


__all__ = [
    "INTERIM",
    "OFFICIAL",
    "SUPPLIED",
    "Reading",
    "library_version",
    "list_dates",
    "nested_deeper",
    "read_store",
    "trust_lists",
]
