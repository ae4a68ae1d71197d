"""The model card: what the classifier was made of and what it was measured to be worth, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.error_rates import percent, upper_percent
from nsfwforensics.evaluation.states import TIERS
from training import card_domain, card_tables
from training.card_tables import estimate, table
from training.data import Item
from training.faces import FACE_CLAIM_MINIMUM
from training.formats import SAVINGS

if TYPE_CHECKING:
    from training.workshop import TrainSettings

Table = Mapping[str, Any]


def counts(items: Sequence[Item]) -> list[tuple[str, str, str, str, int]]:
    """Class, source, licence, role and number of pictures."""
    found: dict[tuple[str, str, str, str], int] = {}
    for item in items:
        key = ("photograph" if item.label == 0 else "generated", item.source, item.licence, item.role)
        found[key] = found.get(key, 0) + 1
    return [(*key, number) for key, number in sorted(found.items(), reverse=True)]


def render(result: Table, items: Sequence[Item], settings: TrainSettings) -> str:
    """Writes the card.

    Args:
        result: Plain figures of a run.
        items: The pictures it used.
        settings: How it was trained.
    """
    text = Path(__file__).with_name("card.md").read_text("utf-8")
    parts = {
        "calls": calls(result.get("withheld")),
        "gate": _gate(result.get("gate") or {}),
        "gate_name": "ML72/AI-Image-Classifier-Playground, MIT",
        "content_matched": _content_matched(result),
        "parts": _parts(result["parts"]),
        "trace": f"{settings.trace.steps} steps of {settings.trace.pairs} pairs and {2 * settings.trace.others} other "
        f"crops, seed {settings.trace.seed}; weights of ensemble and trace network "
        f"{settings.blend[0]:.2f} and {settings.blend[1]:.2f}",
        "generators": _generators(result["generators"], result["saved_alike"]),
        "families": _families(result["saved_alike"]),
        "strangers": _strangers(result["generators"], result["saved_alike"]),
        "rates": _rates(result["rates"]),
        "formats": _formats(result["rates"]),
        "left_aside": _left_aside(result["left_aside"]),
        "sources": card_tables.sources(result["by_source"], "source of photographs", "real: "),
        "generated": card_tables.sources(result["by_source"], "family of generators", "generated: "),
        "domain": card_domain.section(result.get("domain"), result.get("domain_called")),
        "probes": table(("probe", "AUC (95 % interval)"), [(n, estimate(e)) for n, e in result["probes"].items()]),
        "data": table(("class", "source", "licence", "role", "pictures"), counts(items)),
        "faces": _faces(result.get("faces")),
        "criteria": card_tables.criteria(result["criteria"]),
        "reliability": card_tables.reliability(result["reliability"]),
        "ratios": card_tables.ratios(result["reliability"]),
        "claims_ratio": _RATIOS[bool(result["may_clear"])],
        "makes": card_tables.sources(result["by_make"], "make of the camera"),
        "texture": _texture(result["probes"]),
        "clears": _CLEARS[bool(result["may_clear"])],
        "flips": f"{result['flips']['count']} of {result['flips']['total']}",
        "settings": f"{settings.fit.members} perceptrons of {settings.fit.hidden} units, taps {list(settings.taps)}, "
        f"{settings.copies} degraded copies per region, seed {settings.fit.seed}",
    }
    for name, part in parts.items():
        text = text.replace("{{" + name + "}}", part)
    return text


def _texture(found: Table) -> str:
    shuffled, whole = (found[name]["value"] for name in ("shuffled 16-px patches", "the same crop, not shuffled"))
    if shuffled >= whole - 0.03:
        return "Shuffled patches do as well as the crop itself: what is judged is texture statistics, not structure."
    return "Shuffled patches do worse than the crop itself: more than texture statistics is judged."


def _rate(value: Table | None) -> str:
    if value is None or not value["total"]:
        return "not measured"
    share = value["count"] / value["total"]
    return f"{value['count']}/{value['total']} ({percent(share)}, ≤ {upper_percent(value['upper'])})"


def calls(found: Table | None) -> str:
    """Whether the model's calls are passed on, and what was measured that spoke against it.

    Args:
        found: As :meth:`nsfwforensics.models.synthesis.withheld.Withheld.plain` gives it, or None.
    """
    if found is None:
        return "They are passed on."
    rates = {tier: found["rates"][tier] for tier in TIERS if tier in found["rates"]}
    rows = [
        (words, *(f"{count}/{total} ({percent(count / total)})" for count, total in (rates[t][name] for t in rates)))
        for words, name in (("photographs called generated", "real_called"),
                            ("generated pictures called generated", "gallery_called"))
    ]  # fmt: skip
    return _WITHHELD.format(table=table(("pictures", *(TIERS[tier] for tier in rates)), rows))


_WITHHELD = """**They are withheld: reports say *inconclusive* whatever this model scores.** The error rates below came
from too few sources and do not hold for pictures from others. On pictures that had been kept back, by publishers that
nobody had trained or calibrated on, it did this:

{table}

A model that calls photographs generated about as often as it finds generated pictures says nothing by calling one. What
follows says what it was made of and what was measured before; where it speaks of what may be said, read: what might be
said if these figures held."""


def _content_matched(result: Table) -> str:
    trained = result["trained_decoders"]
    labelled = [(f"{name}, left out of training", found) for name, found in result["content_matched_left_out"].items()]
    for name, found in result["content_matched"].items():
        labelled.append((f"{name}, {'trained on' if name in trained else 'never trained on'}", found))
    rows = [(name, *(estimate(found[tier]) for tier in TIERS), found["as_is"]["negatives"]) for name, found in labelled]
    return table(("decoder", *TIERS.values(), "pairs"), rows)


def _gate(found: Table) -> str:
    if not found:
        return "Not measured: the pictures were not at hand."
    rows = [
        (name, *(estimate(estimates[tier]) for tier in TIERS)) for name, estimates in found.items() if name != "said"
    ]
    said = [
        (f"{kind} called generated", *(_rate(found["said"][tier][kind]["looks_generated"]) for tier in TIERS))
        for kind in ("photographs", "generated")
    ]
    first = found["shipped"]["as_is"]
    return (
        table(("AUC", *TIERS.values()), rows)
        + f"\n\n{first['negatives']} photographs, {first['positives']} generated pictures.\n\n"
        + table(("answer", *TIERS.values()), said)
    )


def _parts(found: Table) -> str:
    rows = []
    for name, part in found.items():
        for decoder, estimates in part["content_matched"].items():
            rows.append((name, f"pairs of {decoder}", *(estimate(estimates[tier]) for tier in TIERS)))
        rows.append((name, "mean over test families", *(f"{part['mean_over_families'][t]:.2f}" for t in TIERS)))
    return table(("part", "test", *TIERS.values()), rows)


_ALIKE = {t: "saved once more alike" + (f", then {words}" if t != "as_is" else "") for t, words in TIERS.items()}


def _generators(as_files_are: Table, saved_alike: Table) -> str:
    rows = [
        (words[t], f"{found[t]['mean_over_families']:.2f}", estimate(found[t]["pooled"]),
         f"{found[t]['tpr_at_1']:.0%}", f"{found[t]['tpr_at_5']:.0%}",
         f"{found[t]['pooled']['negatives']} / {found[t]['pooled']['positives']}")
        for words, found in ((_ALIKE, saved_alike), (TIERS, as_files_are))
        for t in TIERS
    ]  # fmt: skip
    head = ("state", "AUC, mean over families", "AUC, pooled", "TPR at 1 % FPR", "TPR at 5 % FPR", "real / generated")
    return table(head, rows)


def _strangers(as_files_are: Table, saved_alike: Table) -> str:
    if not all("strangers" in found[t] for found in (as_files_are, saved_alike) for t in TIERS):
        return "Not measured: there were no such pictures."
    rows = [
        (words[t], f"{part['mean_over_families']:.2f}", estimate(part["pooled"]), part["pooled"]["positives"])
        for words, found in ((_ALIKE, saved_alike), (TIERS, as_files_are))
        for t in TIERS
        for part in (found[t]["strangers"],)
    ]
    names = ", ".join(as_files_are["as_is"]["strangers"]["families"])
    return table(("state", f"AUC, mean over {names}", "AUC, pooled", "generated pictures"), rows)


def _formats(found: Table) -> str:
    rows = [
        (how.words, *(_rate(found.get(state, {}).get(f"{kind}_called")) for kind in ("real", "gallery", "strangers")))
        for state, how in SAVINGS.items()
    ]
    return table(("format", *(f"{_KINDS[kind]} called generated" for kind in ("real", "gallery", "strangers"))), rows)


def _families(found: Table) -> str:
    names = found["as_is"]["families"]
    rows = [
        (name, names[name]["positives"], *(estimate(found[tier]["families"][name]) for tier in TIERS))
        for name in names
        if all(name in found[tier]["families"] for tier in TIERS)
    ]
    return table(("family", "pictures", *_ALIKE.values()), rows)


_CLEARS = {
    True: "The left-out decoder was told apart well enough for *no sign* to be said.",
    False: "Because the left-out decoder was not told apart (a lower bound is below 0.60), this version "
    "never says *no sign of generation*: whatever does not look generated is inconclusive.",
}

_RATIOS = {
    True: "Reports state the ratio beside *looks generated* and *no sign*.",
    False: "Because the left-out decoder is not told apart, no probability and no likelihood ratio is shown to users: "
    "a ratio would mostly weigh what a picture shows, not how it was made.",
}

_KINDS = {
    "real": "photographs",
    "gallery": "generated pictures",
    "strangers": "of these, by publishers never trained on",
    "resynthesised": "photographs painted again by TAEF2 (trained on)",
}


def _rates(found: Table) -> str:
    rows = []
    for kind, words in _KINDS.items():
        for name, meaning in (("called", "looks generated"), ("inconclusive", "inconclusive"), ("cleared", "no sign")):
            rows.append((words, meaning, *(_rate(found[tier].get(f"{kind}_{name}")) for tier in TIERS)))
    return table(("pictures", "answer", *TIERS.values()), rows)


def _left_aside(found: Table) -> str:
    rows = [
        (words, *(f"{found[kind][tier]['real']} / {found[kind][tier]['gallery']}" for tier in TIERS))
        for kind, words in (("too_small", "too small"), ("untestable", "too few photographs left to call any picture"))
    ]
    return table(("photographs / generated pictures left aside", *TIERS.values()), rows)


def _faces(found: Table | None) -> str:
    if found is None:
        return "No face head: the data held too few faces."
    rows = [
        (TIERS[t], estimate(found["swaps_auc"][t]), estimate(found["self_blended_auc"][t]),
         _rate(found["rates"][t]["real_called"]), _rate(found["rates"][t]["swap_called"]))
        for t in TIERS
    ]  # fmt: skip
    head = ("state", "AUC, swaps", "AUC, self-blended", "real faces above the line", "swaps above the line")
    counted = table(head, rows)
    number = found["faces"]
    people = found["people"]
    claims = "may say that a face looks blended in" if found["claims"] else "only ever says *inconclusive*"
    return (
        f"Faces: {number['train']} of {people['train']} people in training, {number['calibrate']} of "
        f"{people['calibrate']} in calibration, {number['test']} of {people['test']} in the test. A claim needs "
        f"{FACE_CLAIM_MINIMUM} unseen real faces in both; with these counts the head {claims}.\n\n{counted}\n\n"
        f"On the faces in calibration, where what is measured was chosen, the AUC of swaps is "
        f"{', '.join(estimate(found['swaps_auc_calibrate'][tier]) for tier in TIERS)}."
    )
