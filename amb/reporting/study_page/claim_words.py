"""A verdict in a sentence for a reader who knows neither the test nor its terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amb.reporting.claim_texts import HARDWARE_SCOPE, claim_unit, sides, value_of
from amb.reporting.metric_display import METRICS
from amb.reporting.rounding import format_number

REPRODUCED, SMALLER = "reproduced", "real but smaller than claimed"
INCONCLUSIVE, NOT_REPRODUCED = "inconclusive", "not reproduced"

SCOPE_QUESTIONS = {
    "fixed_set": "would other seeds show it on the same test utterances?",
    "population": "would it hold for utterances of other videos too?",
    HARDWARE_SCOPE: "would it show again on this machine?",
}
_GROUND = {
    "fixed_set": "New seeds would show the same on this test set.",
    "population": "New seeds would show the same, for other videos too.",
    HARDWARE_SCOPE: "It would show again on this machine.",
}
_OTHER_SCOPE = {
    "fixed_set": ("population", "For other videos"),
    "population": ("fixed_set", "On this test set alone"),
}
# What was found, by kind of claim and verdict.
_FOUND = {
    "ordering": {
        REPRODUCED: "{a} is better than {b} in {metric}.",
        INCONCLUSIVE: "The data cannot tell whether {a} is better than {b} in {metric}: no gain at "
        "all fits them, and so does a gain that would matter.",
        NOT_REPRODUCED: "{a} is not better than {b} in {metric} by an amount that would matter.",
    },
    "magnitude": {
        REPRODUCED: "{a} gains on {b} in {metric} about as much as is claimed, {claimed}.",
        SMALLER: "{a} does gain on {b} in {metric}, but less than the claimed {claimed}.",
        INCONCLUSIVE: "The data cannot tell whether {a} gains as much on {b} in {metric} as is "
        "claimed, {claimed}.",
        NOT_REPRODUCED: "{a} does not gain on {b} in {metric} what is claimed, {claimed}.",
    },
    "number": {
        REPRODUCED: "{a} reaches the published number in {metric}.",
        INCONCLUSIVE: "The data cannot tell whether {a} reaches the published number in {metric}.",
        NOT_REPRODUCED: "{a} does not reach the published number in {metric}.",
    },
    "noninferiority": {
        REPRODUCED: "Under noise {a} loses no more than {b}, within the registered margin.",
        INCONCLUSIVE: "The data cannot tell whether {a} loses more under noise than {b}.",
        NOT_REPRODUCED: "Under noise {a} loses more than {b}, by more than the registered margin.",
    },
    "speed": {
        REPRODUCED: "A training step of {a} takes less time than one of {b}.",
        INCONCLUSIVE: "The timings cannot tell whether {a} trains faster than {b}.",
        NOT_REPRODUCED: "A training step of {a} does not take less time than one of {b} by an "
        "amount that would matter.",
    },
    "all_of": {
        REPRODUCED: "Every part of the claim is reproduced.",
        INCONCLUSIVE: "No part of the claim is refuted, but not every part is shown.",
        NOT_REPRODUCED: "At least one part of the claim is not reproduced.",
    },
}


def plain_sentence(claim: Mapping[str, Any]) -> str:
    """Say what a claim's verdict means, without numbers of the test.

    Args:
        claim: One tested claim.

    Returns:
        One to three sentences; the claim's own reason where its kind or verdict is not known here.
    """
    verdict = str(claim["verdict"])
    if claim.get("counts"):
        return _count(claim)
    found = _FOUND.get(str(claim.get("kind")), {}).get(verdict)
    if found is None:
        return str(claim.get("reason") or "")
    sentences = [found.format(**_words(claim))]
    headline = str(claim.get("headline_scope"))
    if verdict == REPRODUCED and headline in _GROUND:
        sentences.append(_GROUND[headline])
    other, where = _OTHER_SCOPE.get(headline, ("", ""))
    elsewhere = ((claim.get("scopes") or {}).get(other) or {}).get("verdict")
    if elsewhere and elsewhere != verdict:
        sentences.append(f"{where}: {elsewhere}.")
    return " ".join(sentences)


def direction(claim: Mapping[str, Any]) -> str:
    """Return what an effect above zero means: "AMB is better"."""
    names = sides(claim)
    if not names:
        return "as claimed"
    return f"{names['a']} is {'faster' if claim.get('timing') else 'better'}"


def _words(claim: Mapping[str, Any]) -> dict[str, str]:
    names = {"a": "The method", "b": "the other", **sides(claim)}
    metric = METRICS.get(str(claim.get("metric")))
    unit = claim_unit(claim)
    claimed = format_number(value_of(claim.get("claimed")) * unit.scale, unit.decimals, signed=True)
    label = metric.label if metric else "its measure"
    return {**names, "metric": label, "claimed": f"{claimed}{unit.suffix}"}


def _count(claim: Mapping[str, Any]) -> str:
    names, counts = sides(claim), claim["counts"]
    share = format_number(100 * value_of(counts.get("ratio")), 1)
    text = f"{names['a']} trains {share} % of the parameters that {names['b']} trains"
    if "threshold" in counts:
        text += f"; the registered limit is {100 * counts['threshold']:g} %"
    return f"{text}. Counts are exact."
