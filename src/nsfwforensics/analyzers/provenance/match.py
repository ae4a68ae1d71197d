"""Applies the rules to a file's metadata, and recovers what the marks say: prompts, models, seeds, workflows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nsfwforensics.analyzers.provenance.graphs import kind_of
from nsfwforensics.analyzers.provenance.model import RECOVERABLE, Certainty, Condition, FieldView, Home, Rule, png
from nsfwforensics.analyzers.provenance.readings import Allowance, Looked
from nsfwforensics.analyzers.provenance.rules.bare_names import BARE_NAMES
from nsfwforensics.analyzers.provenance.rules.services import SERVICES
from nsfwforensics.analyzers.provenance.rules.tools import EDITS, GENERATION
from nsfwforensics.core.quoting import cut
from nsfwforensics.formats.fields import Field, Metadata
from nsfwforensics.formats.json_text import json_object

RULES: tuple[Rule, ...] = (*GENERATION, *EDITS, *SERVICES, *BARE_NAMES)
"""Every rule for a generator or editor, in the order in which they are tried."""

MAX_RECOVERED = 400_000
"""Longest recovered text kept of one file, in characters."""

_INDEX = re.compile(r"\[[^\]]*\]$")
_JOB = re.compile(r"Job ID: ([0-9a-fA-F-]{36})")
_PROMPT = ("prompt", "positive_prompt", "positivePrompt", "PositivePrompt", "Prompt", "c", "full_prompt")
_NEGATIVE = ("negative_prompt", "negativeprompt", "negativePrompt", "NegativePrompt", "Negative", "uc")
_MODEL = ("model", "base_model", "base_model_name", "ModelName", "use_stable_diffusion_model", "baseModel", "ckpt_name",
          "unet_name")  # fmt: skip
_NODE_TEXT = ("text", "prompt", "text_g", "text_l", "positive", "negative")
_SEED = ("seed", "Seed", "noise_seed")


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """One rule that holds, with the fields for which its conditions do; the first carries the mark."""

    rule: Rule
    fields: tuple[Looked, ...]

    @property
    def looked(self) -> Looked:
        """The field that carries the mark."""
        return self.fields[0]


class Table:
    """A file's fields by place, each looked at once."""

    def __init__(self, metadata: Metadata) -> None:
        self._by_home: dict[tuple[str, str], list[Field]] = {}
        self._looked: dict[Field, Looked] = {}
        self.allowance = Allowance()
        for field in metadata.fields:
            self._by_home.setdefault((field.group, _INDEX.sub("", field.tag)), []).append(field)

    def at(self, homes: Iterable[Home]) -> Iterator[Looked]:
        """The fields in any of these places, in the order of the places."""
        for home in homes:
            for field in self._by_home.get((home.group, home.tag), ()):
                if field not in self._looked:
                    self._looked[field] = Looked(field, allowance=self.allowance)
                yield self._looked[field]

    def first(self, condition: Condition) -> Looked | None:
        """The first field for which a condition holds, or None. An editor's graph only counts where none was run."""
        fields = list(self.at(condition.homes))
        if condition.view is FieldView.NODES:
            run = [looked for looked in fields if looked.graph.run]
            fields = run or fields
        for looked in fields:
            lines = looked.lines(condition.view)
            if condition.compiled.search(lines) and (lines or condition.view is FieldView.TEXT):
                if condition.unless and re.search(condition.unless, lines, re.MULTILINE):
                    continue
                return looked
        return None


def matches(table: Table) -> list[RuleMatch]:
    """Every rule that holds for a file; of a family only the first for each field.

    A bare name adds nothing where a rule that knows more speaks of the same field.
    """
    taken: set[tuple[str, Field]] = set()
    known: set[Field] = set()
    found: list[RuleMatch] = []
    for rule in RULES:
        looked = [each for condition in rule.conditions if (each := table.first(condition)) is not None]
        if len(looked) < len(rule.conditions):
            continue
        key = (rule.family, looked[0].field)
        if rule.family and key in taken:
            continue
        if rule.certainty is Certainty.NAMED and looked[0].field in known:
            continue
        taken.add(key)
        known.update(each.field for each in looked)
        found.append(RuleMatch(rule, tuple(looked)))
    return found


def recover(found: list[RuleMatch], hidden: Looked | None, table: Table) -> list[dict[str, Any]]:
    """Collects prompts, settings and workflows from a file in which a rule holds, within a bound on the whole.

    Args:
        found: The rules that hold; without any, text that looks like a prompt is none of this analyzer's business.
        hidden: Text that was hidden in the pixels, or None.
        table: The file's fields.

    Returns:
        For each field that says something its ``place`` and what :func:`_recovered` makes of it.
    """
    if not found and hidden is None:
        return []
    prompts = {each.field for match in found for each in table.at(match.rule.prompt)}
    places = (*RECOVERABLE, *(home for match in found for home in match.rule.prompt))
    every = {each.field: each for each in (*([hidden] if hidden else []), *table.at(places))}
    facts: list[dict[str, Any]] = []
    room = MAX_RECOVERED
    for field, looked in every.items():
        fact = _recovered(looked, table)
        if not fact and field in prompts and looked.text.strip():
            fact = {"prompt": cut(looked.text.strip(), 20_000), "personal_data": ["prompt"]}
        if not fact:
            continue
        if (size := len(str(fact))) > room:
            fact = _shortened(fact, size)
            size = len(str(fact))
        room -= size
        facts.append({"place": field.place, **fact})
    return facts


def _shortened(fact: dict[str, Any], size: int) -> dict[str, Any]:
    kept = {
        key: cut(str(value), 1000) for key, value in fact.items()
        if key not in ("workflow", "settings", "nodes", "personal_data")
    }  # fmt: skip
    return {**kept, "left_out": f"{size} characters in all", "personal_data": fact.get("personal_data", [])}


def _recovered(looked: Looked, table: Table) -> dict[str, Any]:
    """What one field says about how the picture was made, as far as it can be told apart.

    Returns:
        Any of ``prompt``, ``negative_prompt``, ``model``, ``seed``, ``settings``, ``workflow``, ``job_id``,
        ``user_name``; what is named under ``personal_data`` may be personal.
    """
    out: dict[str, Any] = {}
    if looked.nodes:
        out = _from_nodes(looked)
    elif looked.object is not None:
        out = _from_object(looked.object)
    elif looked.settings is not None:
        read = looked.settings
        values = read.values
        out = {"prompt": read.prompt, "negative_prompt": read.negative, "settings": values}
        out |= {"model": values.get("Model"), "seed": values.get("Seed")}
    elif job := _JOB.search(looked.text):
        author = next(table.at(png("Author")), None)
        out = {"prompt": looked.text[: job.start()].strip(), "job_id": job[1]}
        out["user_name"] = author.text if author else None
    kept = {key: value for key, value in out.items() if value not in (None, "", {}, [])}
    personal = [key for key in ("prompt", "negative_prompt", "user_name") if key in kept]
    return kept | ({"personal_data": personal} if personal else {})


def _from_object(found: dict[str, Any]) -> dict[str, Any]:
    inner = found
    for key in ("sui_image_params", "image", "Comment"):
        part = inner.get(key)
        part = json_object(part) if isinstance(part, str) else part
        if isinstance(part, dict):
            inner = part
    return {
        "prompt": _text(inner, _PROMPT), "negative_prompt": _text(inner, _NEGATIVE),
        "model": _name(_first(inner, _MODEL)) or found.get("Source"), "seed": _first(inner, _SEED), "settings": found,
    }  # fmt: skip


def _from_nodes(looked: Looked) -> dict[str, Any]:
    inputs = [node["inputs"] for node in looked.nodes.values() if isinstance(node.get("inputs"), dict)]
    texts = [
        value for each in inputs for key, value in each.items()
        if key in _NODE_TEXT and isinstance(value, str) and value.strip()
    ]  # fmt: skip
    models = [each[key] for each in inputs for key in _MODEL if isinstance(each.get(key), str)]
    seeds = [each[key] for each in inputs for key in _SEED if isinstance(each.get(key), int)]
    return {
        "prompt": list(dict.fromkeys(texts)), "model": list(dict.fromkeys(models)), "seed": list(dict.fromkeys(seeds)),
        "nodes": sorted({kind for node in looked.nodes.values() if (kind := kind_of(node))}), "workflow": looked.object,
    }  # fmt: skip


def _name(model: Any) -> Any:
    """A model's name, where it is described by an object."""
    return _first(model, ("name", "modelFileName", "model_name", "label")) if isinstance(model, dict) else model


def _first(found: dict[str, Any], keys: Iterable[str]) -> Any:
    return next((found[key] for key in keys if found.get(key) not in (None, "")), None)


def _text(found: dict[str, Any], keys: Iterable[str]) -> str | None:
    return next((found[key] for key in keys if isinstance(found.get(key), str) and found[key].strip()), None)
