"""A manifest store as plain values: who signed what, what they say was done, and what does not check out.

Everything here comes out of a file and can be of any type and length; what is not of the expected shape is left out.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nsfwforensics.analyzers.provenance.c2pa.read import Reading
from nsfwforensics.formats.cbor import cose_payload

MAX_MANIFESTS, MAX_ITEMS, MAX_DEPTH = 64, 200, 12
MAX_SIGNATURE = 1 << 20
"""Longest identity signature looked into, in characters of base64."""
_LABEL = re.compile(r"^self#jumbf=/c2pa/([^/]+)/")
_SOURCE_KEY = "digitalsourcetype"


class Trouble(StrEnum):
    """What a failed check means. The library's own state mixes these."""

    CONTENT_CHANGED = "content_changed"
    PARTLY_COVERED = "partly_covered"
    NOT_COVERED = "not_covered"
    STATEMENT_CHANGED = "statement_changed"
    SIGNATURE_BROKEN = "signature_broken"
    CERTIFICATE = "certificate"
    STRUCTURE = "structure"


_TROUBLES = (
    (re.compile(r"assertion\.(data|boxes|bmff|collection|multiAsset)Hash\.mismatch$"), Trouble.CONTENT_CHANGED),
    (re.compile(r"(.+\.)?hashedURI\.mismatch$|assertion\.missing$"), Trouble.STATEMENT_CHANGED),
    (re.compile(r"claimSignature\.(mismatch|missing)$"), Trouble.SIGNATURE_BROKEN),
    (re.compile(r"signingCredential\.|claimSignature\.outsideValidity$|timeStamp\."), Trouble.CERTIFICATE),
)
"""C2PA 2.2, "Validation status codes": only the first three kinds mean that bytes changed after signing."""

_HASH_MISMATCH = re.compile(r"assertion\.(\w+Hash)\.mismatch$")
"""Reported too where the hash itself agrees and only the place of what it leaves out is wrong."""


@dataclass(frozen=True, slots=True)
class Status:
    """One failed check: its C2PA code, what it means, and the library's words."""

    code: str
    kind: Trouble
    words: str


@dataclass(frozen=True, slots=True)
class Action:
    """One step that a manifest lists: ``c2pa.edited``, who did it, and the last part of its digital source type."""

    name: str
    agent: str = ""
    source_type: str = ""
    description: str = ""
    operation: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A picture or other input: its relationship, media type, manifest if any, and failures seen when it was added."""

    title: str
    relationship: str
    format: str
    manifest: str
    recorded: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who claims a picture by an identity assertion (CAWG 1.1), as stated; nobody has confirmed it here.

    Attributes:
        method: ``cawg.x509.cose`` (signed by the claimant) or ``cawg.identity_claims_aggregation`` (by a service that
            checked accounts).
        names: Names, accounts and addresses of the claimant, with the service that vouches for each.
        issuer: Who signed the statement: the certificate's issuer, or the service.
        bound: Whether it refers to the hash of this picture.
    """

    method: str
    names: tuple[str, ...] = ()
    issuer: str = ""
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest of the store: what was claimed, and who signed it.

    ``role`` is ``active`` (the latest), ``parent`` (an earlier state of this picture), ``component`` (something placed
    in it), ``input`` (given to a process) or ``loose``. ``trust`` names the list that the signer is on, or is empty.
    """

    label: str
    role: str
    trust: str = ""
    generator: str = ""
    title: str = ""
    signer: str = ""
    signer_name: str = ""
    issuer: str = ""
    valid_from: str = ""
    valid_until: str = ""
    time: str = ""
    time_trusted: bool = False
    actions: tuple[Action, ...] = ()
    source_types: tuple[str, ...] = ()
    assertions: tuple[str, ...] = ()
    watermarks: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    training: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    failures: tuple[Status, ...] = field(default=())
    identities: tuple[Identity, ...] = ()

    def has(self, *kinds: Trouble) -> bool:
        """Whether a check of one of these kinds failed."""
        return any(status.kind in kinds for status in self.failures)


def manifests(reading: Reading) -> tuple[Manifest, ...]:
    """The manifests of a store, the active one first, then what it builds on."""
    raw = _dict(reading.store.get("manifests"))
    active = _text(reading.store.get("active_manifest"))
    details = {_text(each.get("label")): each for each in _dicts(reading.detail.get("manifests"))}
    failures = _failures(reading.store, active)
    found: list[Manifest] = []
    waiting = [(active, "active"), *((label, "loose") for label in raw)]
    seen: set[str] = set()
    while waiting and len(found) < MAX_MANIFESTS:
        label, role = waiting.pop(0)
        if label in seen or label not in raw:
            continue
        seen.add(label)
        detail = details.get(label, {})
        one = _manifest(_dict(raw[label]), detail, label, role, reading.trust.get(label, ""), failures.get(label, ()))
        found.append(one)
        waiting[:0] = [(name, step if role in ("active", "parent") else role) for name, step in _steps(one)]
    return tuple(found)


def _steps(manifest: Manifest) -> list[tuple[str, str]]:
    """The manifests of the ingredients with their role seen from this manifest."""
    given = manifest.ingredients
    steps = [
        (each.manifest, {"parentOf": "parent", "inputTo": "input"}.get(each.relationship, "component"))
        for each in given
    ]
    if len(given) == 1 and steps[0][1] == "component" and any(a.name == "c2pa.opened" for a in manifest.actions):
        steps[0] = (steps[0][0], "parent")  # Adobe's tools write componentOf for the picture that was opened
    return steps


def _manifest(
    raw: dict[str, Any], detail: dict[str, Any], label: str, role: str, trust: str, failures: tuple[Status, ...]
) -> Manifest:
    signature = _dict(raw.get("signature_info"))
    certificate = _dict(_dict(detail.get("signature")).get("certificateInfo"))
    subject, issuer, validity = (_dict(certificate.get(key)) for key in ("subject", "issuer", "validity"))
    assertions = _dicts(raw.get("assertions"))
    passed = {_text(each.get("code")) for each in _dicts(_dict(detail.get("validationResults")).get("success"))}
    return Manifest(
        label=label,
        role=role,
        trust=trust,
        generator=_generator(raw),
        title=_text(raw.get("title")),
        signer=_text(signature.get("issuer")) or _text(subject.get("O")),
        signer_name=_text(signature.get("common_name")) or _text(subject.get("CN")),
        issuer=_text(issuer.get("CN")) or _text(issuer.get("O")),
        valid_from=_text(validity.get("notBefore")),
        valid_until=_text(validity.get("notAfter")),
        time=_text(signature.get("time")),
        time_trusted="timeStamp.trusted" in passed,
        actions=tuple(_actions(assertions)),
        source_types=tuple(dict.fromkeys(_source_types(assertions)))[:MAX_ITEMS],
        assertions=tuple(_text(each.get("label")) for each in assertions),
        watermarks=tuple(
            _text(_dict(each.get("data")).get("alg")) or "not named"
            for each in assertions
            if _text(each.get("label")).startswith("c2pa.soft-binding")
        ),
        authors=tuple(_authors(assertions)),
        training=tuple(_training(assertions)),
        ingredients=tuple(_ingredient(each) for each in _dicts(raw.get("ingredients"))),
        failures=failures,
        identities=tuple(_identities(assertions, _dict(detail.get("assertions")))),
    )


def _generator(raw: dict[str, Any]) -> str:
    """``claim_generator_info`` as names with versions, else the older ``claim_generator`` text."""
    infos = _dicts(raw.get("claim_generator_info"))
    names = [" ".join(filter(None, (_text(each.get("name")), _text(each.get("version"))))) for each in infos]
    return ", ".join(filter(None, names)) or _text(raw.get("claim_generator"))


def _actions(assertions: list[dict[str, Any]]) -> Iterator[Action]:
    for each in assertions:
        if not _text(each.get("label")).startswith("c2pa.actions"):
            continue
        for action in _dicts(_dict(each.get("data")).get("actions")):
            agent, parameters = action.get("softwareAgent"), _dict(action.get("parameters"))
            named = _dict(agent)
            words = " ".join(filter(None, (_text(named.get("name")), _text(named.get("version"))))) or _text(agent)
            yield Action(
                _text(action.get("action")),
                words,
                short_source(_text(action.get("digitalSourceType"))),
                _text(action.get("description")) or _text(parameters.get("description")),
                _text(parameters.get("com.adobe.firefly.operation")) or _text(parameters.get("com.adobe.tool")),
                _text(action.get("when")),
            )


def short_source(uri: str) -> str:
    """The last part of a digital source type's address, which names it: ``trainedAlgorithmicMedia``."""
    return uri.rstrip("/").rpartition("/")[2]


def _source_types(assertions: list[dict[str, Any]]) -> Iterator[str]:
    """Digital source types stated outside actions: IPTC and other metadata assertions."""
    for each in assertions:
        if not _text(each.get("label")).startswith("c2pa.actions"):
            yield from _values_of(each.get("data"), _SOURCE_KEY, 0)


def _values_of(value: object, key: str, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        for name, item in list(value.items())[:MAX_ITEMS]:
            if str(name).lower().endswith(key):
                yield from (short_source(text) for text in ([item] if isinstance(item, str) else _strings(item)))
            else:
                yield from _values_of(item, key, depth + 1)
    elif isinstance(value, list):
        for item in value[:MAX_ITEMS]:
            yield from _values_of(item, key, depth + 1)


def _authors(assertions: list[dict[str, Any]]) -> Iterator[str]:
    for each in assertions:
        authors = _dict(each.get("data")).get("author")
        for author in _dicts(authors if isinstance(authors, list) else [authors]):
            if name := _text(author.get("name")):
                yield name


def _training(assertions: list[dict[str, Any]]) -> Iterator[str]:
    for each in assertions:
        if "training-mining" in _text(each.get("label")):
            for name, entry in list(_dict(_dict(each.get("data")).get("entries")).items())[:MAX_ITEMS]:
                yield f"{_text(name)}: {_text(_dict(entry).get('use'))}"


def _identities(assertions: list[dict[str, Any]], detail: dict[str, Any]) -> Iterator[Identity]:
    described = [_dict(value) for label, value in detail.items() if str(label).startswith("cawg.identity")]
    given = [_dict(each.get("data")) for each in assertions if _text(each.get("label")).startswith("cawg.identity")]
    for number, raw in enumerate(given[:MAX_ITEMS]):
        payload = _dict(raw.get("signer_payload"))
        referenced = [_text(each.get("url")) for each in _dicts(payload.get("referenced_assertions"))]
        bound = any("/c2pa.hash." in url for url in referenced)
        method = _text(payload.get("sig_type"))
        if method == "cawg.identity_claims_aggregation":
            credential = _credential(raw.get("signature"))
            issuer = credential.get("issuer")
            names = tuple(_vouched(_dict(credential.get("credentialSubject"))))
            yield Identity(method, names, _text(_dict(issuer).get("id")) or _text(issuer), bound)
            continue
        signature = _dict(described[number].get("signature")) if number < len(described) else {}
        certificate = _dict(signature.get("certificateInfo"))
        subject, issued = _dict(certificate.get("subject")), _dict(certificate.get("issuer"))
        names = tuple(filter(None, (_text(subject.get("CN")), _text(subject.get("O")))))
        yield Identity(method, names, _text(issued.get("CN")) or _text(issued.get("O")), bound)


def _credential(signature: object) -> dict[str, Any]:
    """The W3C credential that a COSE signature holds, as JSON; empty where there is none."""
    if not isinstance(signature, str) or len(signature) > MAX_SIGNATURE:
        return {}
    try:
        value = json.loads(cose_payload(base64.b64decode(signature, validate=True)))
    except (ValueError, RecursionError):
        return {}
    return _dict(value)


def _vouched(subject: dict[str, Any]) -> Iterator[str]:
    for each in _dicts(subject.get("verifiedIdentities")):
        name = _text(each.get("name")) or _text(each.get("username")) or _text(each.get("address"))
        provider = _text(_dict(each.get("provider")).get("name"))
        if name:
            yield f"{name} ({provider})" if provider else name


def _ingredient(raw: dict[str, Any]) -> Ingredient:
    results = _dict(_dict(raw.get("validation_results")).get("activeManifest"))
    matched = _matched(_dicts(results.get("success")))
    recorded = [_status(each, matched) for each in _dicts(raw.get("validation_status"))]
    recorded += [_status(each, matched) for each in _dicts(results.get("failure"))]
    return Ingredient(
        _text(raw.get("title")), _text(raw.get("relationship")), _text(raw.get("format")),
        _text(raw.get("active_manifest")), tuple(recorded),
    )  # fmt: skip


def _failures(store: Mapping[str, Any], active: str) -> dict[str, tuple[Status, ...]]:
    """Failed checks by the label of the manifest that they concern."""
    results = _dict(store.get("validation_results"))
    layers = [_dict(results.get("activeManifest"))]
    layers += [_dict(delta.get("validationDeltas")) for delta in _dicts(results.get("ingredientDeltas"))]
    entries = [entry for layer in layers for entry in _dicts(layer.get("failure"))]
    matched = frozenset(each for layer in layers for each in _matched(_dicts(layer.get("success"))))
    if not results:
        entries = _dicts(store.get("validation_status"))
    found: dict[str, tuple[Status, ...]] = {}
    for entry in entries[: MAX_ITEMS * 2]:
        match = _LABEL.match(_text(entry.get("url")))
        label = match[1] if match else active
        found[label] = (*found.get(label, ()), _status(entry, matched))
    return found


def _matched(passed: list[dict[str, Any]]) -> frozenset[tuple[str, str]]:
    """The hashes that agree, each by the place of its assertion and its name."""
    return frozenset(
        (_text(each.get("url")), name) for each in passed if (name := _text(each.get("code")).removesuffix(".match"))
    )


def _status(raw: dict[str, Any], matched: frozenset[tuple[str, str]]) -> Status:
    code = _text(raw.get("code"))
    kind = next((kind for pattern, kind in _TROUBLES if pattern.match(code)), Trouble.STRUCTURE)
    if _HASH_MISMATCH.match(code) and (_text(raw.get("url")), code.removesuffix(".mismatch")) in matched:
        kind = Trouble.PARTLY_COVERED
    return Status(code, kind, _text(raw.get("explanation")))


def _text(value: object) -> str:
    return value[:1000] if isinstance(value, str) else ""


def _strings(value: object) -> list[str]:
    return [item for item in value[:MAX_ITEMS] if isinstance(item, str)] if isinstance(value, list) else []


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value[:MAX_ITEMS] if isinstance(item, dict)] if isinstance(value, list) else []


__all__ = ["Action", "Identity", "Ingredient", "Manifest", "Status", "Trouble", "manifests"]
