"""What a tested claim rests on, in words: effects, other evidence, and where it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from amb.reporting.inputs import SCOPES
from amb.reporting.metric_display import METRICS, EffectUnit, effect_unit
from amb.reporting.rounding import MISSING, format_number, format_p
from amb.reporting.tables.comparison_grids import SCOPE_LABELS, gain_and_interval, mde_text

NOT_TESTED = "not tested"
VERDICTS = (
    "reproduced",
    "real but smaller than claimed",
    "inconclusive",
    "not reproduced",
    NOT_TESTED,
)
DEFAULT_ALPHA = 0.05
_EFFECT_KEYS = (
    "estimate",
    "ci_low",
    "ci_high",
    "p",
    "p_adjusted",
    "mde",
    "p_not_reproduced_adjusted",
)
_NAN = float("nan")
HARDWARE_SCOPE = "this_hardware"
CLAIM_SCOPES = (*SCOPES, HARDWARE_SCOPE)
CLAIM_SCOPE_LABELS = {**SCOPE_LABELS, HARDWARE_SCOPE: "this hardware"}
HASH_DIGITS = 12


def split_untested(
    claims: Sequence[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the claims that were tested, and those that this study cannot test."""
    untested = [claim for claim in claims if claim["verdict"] == NOT_TESTED]
    return [claim for claim in claims if claim["verdict"] != NOT_TESTED], untested


def untested_reason(claim: Mapping[str, Any]) -> str:
    """Return why a claim was not tested, without the words "not tested"."""
    return one_line(claim.get("reason") or "").removeprefix(f"{NOT_TESTED}: ")


def tally(claims: list[dict[str, Any]]) -> str:
    """Return how many claims have which verdict: "1 reproduced, 2 inconclusive"."""
    counts = Counter(claim["verdict"] for claim in claims)
    names = [*VERDICTS, *sorted(set(counts) - set(VERDICTS))]
    return ", ".join(f"{counts[name]} {name}" for name in names if counts[name]) or "no claims"


def interval_name(alpha: float) -> str:
    """Return "95 % interval" for alpha 0.05."""
    return f"{100 * (1 - alpha):g} % interval"


def one_line(text: object) -> str:
    """Return a text without line breaks."""
    return " ".join(str(text).split())


def source_text(claim: Mapping[str, Any]) -> str:
    """Return where the claim stands: "arXiv 2212.00678, abstract"."""
    source = claim.get("source") or MISSING
    return ", ".join(map(str, source.values())) if isinstance(source, Mapping) else str(source)


class EffectCells(NamedTuple):
    """One scope's numbers as text; dashes where there are none."""

    effect: str = MISSING
    interval: str = MISSING
    p_for: str = MISSING
    p_against: str = MISSING
    mde: str = MISSING


def effect_cells(claim: Mapping[str, Any], scope: str, alpha: float) -> EffectCells:
    """Return one scope's numbers as text.

    Args:
        claim: One tested claim.
        scope: ``fixed_set`` or ``population``.
        alpha: Significance level.

    Returns:
        The cells, both p-values adjusted; dashes where the claim has no test at this scope.
    """
    numbers = (claim.get("scopes") or {}).get(scope)
    if not numbers:
        return EffectCells()
    effect = {key: value_of(numbers.get(key)) for key in _EFFECT_KEYS}
    unit = claim_unit(claim)
    return EffectCells(
        *gain_and_interval(effect, unit),
        format_p(effect["p_adjusted"], alpha),
        format_p(effect["p_not_reproduced_adjusted"], alpha),
        mde_text(effect, unit),
    )


def scope_text(claim: Mapping[str, Any], scope: str, alpha: float) -> str:
    """Return one scope in a line: "+3.1 % (+1.2 to +5.0), p = 0.004, MDE 2.1 %".

    Where the scope's verdict is "not reproduced", the p-value is the one that speaks against.
    """
    cells = effect_cells(claim, scope, alpha)
    if cells.effect == MISSING:
        return _other_evidence(claim, alpha) if scope == SCOPES[0] else MISSING
    against = claim["scopes"][scope].get("verdict") == "not reproduced"
    name, p = ("p against", cells.p_against) if against else ("p", cells.p_for)
    parts = [f"{cells.effect} ({cells.interval})"]
    if p != MISSING:
        parts.append(f"{name} {p[0]} {p[1:]}" if p.startswith("<") else f"{name} = {p}")
    if cells.mde != MISSING:
        parts.append(f"MDE {cells.mde}")
    return ", ".join(parts)


def _other_evidence(claim: Mapping[str, Any], alpha: float) -> str:
    """Return what a claim without a test on this test set rests on: counts, times or parts."""
    if (claim.get("scopes") or {}).get(HARDWARE_SCOPE):
        return f"{timing_text(claim)}: {scope_text(claim, HARDWARE_SCOPE, alpha)}"
    return parts_text(claim) if claim.get("parts") else counts_text(claim)


def warning_text(tested: Mapping[str, Any]) -> str:
    """Return a warning where claims were, or may have been, edited after the labels were read."""
    registered = tested.get("registration") or {}
    fine = registered.get("edited_after_evaluation", False) is False
    return "" if fine else str(registered["statement"])


def provenance_lines(tested: Mapping[str, Any]) -> list[str]:
    """Return which claims file was judged, and when it and the test labels were last touched."""
    lines = []
    if tested.get("claims_sha256"):
        lines.append(f"Claims file: SHA-256 {tested['claims_sha256']}.")
    if tested.get("published_sha256"):
        lines.append(f"Published numbers: SHA-256 {tested['published_sha256']}.")
    if registered := tested.get("registration"):
        changed = _moment(registered, "claims_changed_at")
        first = _moment(registered, "first_evaluation_at")
        lines.append(
            f"The claims file last changed {changed}; test labels were first read {first}. "
            f"{registered['statement']}"
        )
    return lines


def _moment(registered: Mapping[str, Any], key: str) -> str:
    return f"{registered.get(key) or 'at an unknown time'} ({registered.get(f'{key}_from')})"


def published_text(claim: Mapping[str, Any]) -> str:
    """Return the published number of a claim with its source; nothing for other claims."""
    quoted = claim.get("published")
    if not quoted:
        return ""
    text = f"Published: {quoted['model']} on {quoted['dataset']}, {quoted['value']:g}"
    if quoted["relative_gain"]:
        text += f", improved by {100 * quoted['relative_gain']:g} %: {quoted['target']:.4g}"
    note = f" ({quoted['note']})" if quoted["note"] else ""
    ours = MISSING if quoted["ours"] is None else f"{quoted['ours']:.4g}"
    return f"{text}; ours, mean over seeds: {ours}. Source: {quoted['source']}{note}"


def retention_text(claim: Mapping[str, Any]) -> str:
    """Return what both rows keep under noise; nothing for other claims."""
    kept = claim.get("retention")
    if not kept:
        return ""
    each = []
    for side, name in sides(claim).items():
        numbers = {key: value_of(value) for key, value in kept[side].items()}
        share = format_number(100 * numbers["retention"], 1)
        levels = ", ".join(f"{format_number(numbers[k], 3)} {k}" for k in ("clean", "noisy"))
        each.append(f"{name} keeps {share} % ({levels})")
    return f"Retention, mean over {len(kept['conditions'])} conditions: {'; '.join(each)}"


def timing_text(claim: Mapping[str, Any]) -> str:
    """Return the machine and the blocks of a timing; nothing for other claims."""
    timing = claim.get("timing")
    if not timing:
        return ""
    precision = " and ".join(dict.fromkeys(timing["precision"].values()))
    threads = "1 thread" if timing["threads"] == 1 else f"{timing['threads']} threads"
    return (
        f"{timing['hardware']}, {threads}, matrix precision {precision}, "
        f"{timing['pairs']} pairs of blocks of {timing['steps']} steps"
    )


def parts_text(claim: Mapping[str, Any]) -> str:
    """Return the verdicts of a claim's parts; nothing for other claims."""
    parts = claim.get("parts") or []
    return "; ".join(f"{part['id']}: {part['verdict']}" for part in parts)


def counts_text(claim: Mapping[str, Any]) -> str:
    """Return counts and their ratio: "Parameters: amb 612,000, finetuned 22,713,216; ratio …"."""
    counts = claim.get("counts")
    if not counts:
        return MISSING
    quantity = str(counts.get("quantity", "counts")).replace("_", " ").capitalize()
    each = ", ".join(f"{name} {_count(counts[key])}" for key, name in sides(claim).items())
    limit = f" (registered limit: {_count(counts['threshold'])})" if "threshold" in counts else ""
    return f"{quantity}: {each}; ratio {_count(counts['ratio'])}{limit}"


def data_text(claim: Mapping[str, Any]) -> str:
    """Return the utterances, videos and seeds behind a claim."""
    seeds = claim.get("seeds") or {}
    names = sides(claim)
    parts = []
    if claim.get("n_items"):
        videos = number_text(claim.get("n_videos"))
        parts.append(f"{number_text(claim['n_items'])} utterances of {videos} videos")
    if seeds:
        each = ", ".join(
            f"{names.get(key, key)} {_seed_count(value)}" for key, value in seeds.items() if value
        )
        parts.append(f"seeds: {each}")
    return "; ".join(parts)


def collapse_text(tested: Mapping[str, Any]) -> str:
    """Return the collapse rule and who has collapsed runs; nothing where none was applied."""
    collapse = tested.get("collapse")
    if not collapse:
        return ""
    rule = collapse["rule"]
    metric = METRICS[rule["metric"]].label
    found = [
        f"{method.get('label', name)} {len(method['collapsed_seeds'])} of {method['runs']}"
        for name, method in collapse["methods"].items()
        if method["collapsed_seeds"]
    ]
    clean = len(collapse["methods"]) - len(found)
    if clean:
        found.append(f"none of the other {clean} methods" if found else "none")
    return (
        f"Collapsed runs ({metric} on the {rule['split']} split worse than "
        f"{rule['worse_than']:g} times that of the best constant): {'; '.join(found)}."
    )


def facts(claim: Mapping[str, Any]) -> list[str]:
    """Return what stands below a claim's numbers, a line each."""
    contrast = sides(claim)
    lines = [f"Claim {claim['id']}; source: {source_text(claim)}"]
    if contrast.keys() == {"a", "b"}:
        metric = METRICS.get(str(claim.get("metric")))
        against = f"{contrast['a']} against {contrast['b']}"
        lines.append(
            against + (f", {metric.label}; positive: {contrast['a']} is better" if metric else "")
        )
    if claim.get("counts"):
        lines.append(counts_text(claim))
    texts = (published_text, retention_text, timing_text, parts_text, data_text)
    lines += [line for text in texts if (line := text(claim))]
    if claim.get("headline_scope"):
        scope = CLAIM_SCOPE_LABELS[claim["headline_scope"]]
        lines.append(f"The verdict is that of the scope “{scope}”")
    by_row = runs_by_row(claim.get("runs") or [])
    lines += [f"Runs of {row}: {', '.join(own)}" for row, own in by_row.items()]
    return lines


def runs_by_row(runs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return "seed1111 1a2b3c4d5e6f" for every run, each once, by the folder of its row."""
    found: dict[str, dict[str, str]] = {}
    for run in runs:
        row, _, seed = str(run["folder"]).rpartition("/")
        identity = run.get("identity_sha256")
        shown = f" {identity[:HASH_DIGITS]}" if identity else ""
        found.setdefault(row, {})[seed] = f"{seed}{shown}"
    return {row: list(own.values()) for row, own in found.items()}


def sides(claim: Mapping[str, Any]) -> dict[str, str]:
    """Return what people call the claim's two methods."""
    contrast = claim.get("contrast") or {}
    names = {**contrast, **(contrast.get("labels") or {})}
    return {key: str(names[key]) for key in ("a", "b") if names.get(key) is not None}


def claim_unit(claim: Mapping[str, Any]) -> EffectUnit:
    """Return what a claim's effects are counted in."""
    if claim.get("timing"):
        return EffectUnit(1.0, "", 3)  # a log ratio
    metric = METRICS.get(str(claim.get("metric")))
    form = (claim.get("contrast") or {}).get("form") or "difference"
    return effect_unit(metric or METRICS["mae"], form)


def alpha_of(tested: Mapping[str, Any]) -> float:
    """Return the significance level that claims were tested at."""
    return float(tested.get("alpha") or DEFAULT_ALPHA)


def value_of(value: object) -> float:
    """Return a number of a JSON file; NaN where there is none."""
    return float(value) if isinstance(value, int | float) else _NAN


def number_text(value: object) -> str:
    """Return a whole number as text; a dash where there is none."""
    return f"{value:.0f}" if isinstance(value, int | float) else MISSING


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _seed_count(value: object) -> str:
    return str(len(value)) if isinstance(value, list) else str(value)
