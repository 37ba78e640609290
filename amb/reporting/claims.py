"""Tested claims as people read them: the verdict first, then the numbers it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amb.files import write_text
from amb.reporting import latex, markdown
from amb.reporting.comparison_grids import SCOPE_LABELS, gain_and_interval, mde_text
from amb.reporting.grid import Column, Grid
from amb.reporting.inputs import SCOPES
from amb.reporting.metric_display import METRICS, EffectUnit, effect_unit
from amb.reporting.page import html_page
from amb.reporting.rounding import MISSING, format_p

VERDICTS = (
    "reproduced",
    "real but smaller than claimed",
    "inconclusive",
    "not reproduced",
    "not tested",
)
DEFAULT_ALPHA = 0.05
_EFFECT_KEYS = ("estimate", "ci_low", "ci_high", "p", "p_adjusted", "mde")
_NAN = float("nan")
_LEGEND = (
    f"“{SCOPE_LABELS['fixed_set'].capitalize()}”: only the seeds are random; "
    f"“{SCOPE_LABELS['population']}”: seeds and videos are. Effects are positive where the claim "
    "is right. p (no gain): small speaks for the claim. p (gain of SESOI): small speaks against a "
    "gain as large as the smallest effect size of interest (SESOI). Both are doubled "
    "one-sided p-values, adjusted within the claim's family and scope; intervals are not adjusted. "
    "MDE (minimum detectable effect): the smallest effect that the test finds with 80 % power, "
    "before correction."
)


def write_claims(target: Path, tested: Mapping[str, Any]) -> None:
    """Write the claims as Markdown, and beside it as an HTML page and as a LaTeX table.

    Args:
        target: The Markdown file; the others have the suffixes .html and .tex.
        tested: The content of ``claims.json``.
    """
    text = markdown_claims(tested)
    write_text(target, text)
    write_text(target.with_suffix(".html"), html_page("Claims and verdicts", text))
    write_text(target.with_suffix(".tex"), latex_claims(tested))


def markdown_claims(tested: Mapping[str, Any]) -> str:
    """Return the claims as a Markdown page, a section each."""
    claims = tested["claims"]
    parts = ["# Claims and verdicts\n", tally(claims) + "\n"]
    for claim in claims:
        parts += _section(claim, _alpha(tested))
    parts += ["## How to read this\n", _LEGEND + "\n"]
    if collapsed := collapse_text(tested):
        parts.append(markdown.escape(collapsed) + "\n")
    if tested.get("claims_sha256"):
        parts.append(f"Claims file: SHA-256 `{tested['claims_sha256']}`.\n")
    return "\n".join(parts)


def latex_claims(tested: Mapping[str, Any]) -> str:
    """Return the claims as one LaTeX table."""
    alpha = _alpha(tested)
    columns = (
        Column("Claim", width_cm=4.6),
        Column("Verdict", width_cm=2.0),
        *(Column(SCOPE_LABELS[scope].capitalize(), width_cm=4.2) for scope in SCOPES),
        Column("Test items", "right"),
    )
    rows = [
        (
            f"{one_line(claim['statement'])} ({source_text(claim)})",
            claim["verdict"].capitalize(),
            *(scope_text(claim, scope, alpha) for scope in SCOPES),
            _number(claim.get("n_items")),
        )
        for claim in tested["claims"]
    ]
    starts = frozenset(range(1, len(rows)))
    note = (
        f"Effect (positive: as claimed), {interval_name(alpha)}, p adjusted within the claim's "
        "family and scope, MDE (minimum detectable effect): the smallest effect that the test "
        f"finds with 80 % power. “{SCOPE_LABELS['fixed_set'].capitalize()}”: only seeds are "
        f"random; “{SCOPE_LABELS['population']}”: seeds and videos are."
    )
    grid = Grid(columns, tuple(rows), starts)
    table = latex.render_table(grid, "Claims and verdicts.", "tab:claims", note)
    return latex.HEADER + table


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


def effect_cells(claim: Mapping[str, Any], scope: str, alpha: float) -> tuple[str, str, str, str]:
    """Return one scope's numbers as text.

    Args:
        claim: One tested claim.
        scope: ``fixed_set`` or ``population``.
        alpha: Significance level.

    Returns:
        Effect, interval, adjusted p, MDE; dashes where the claim has no test at this scope.
    """
    numbers = (claim.get("scopes") or {}).get(scope)
    if not numbers:
        return (MISSING,) * 4
    effect = {key: _value(numbers.get(key)) for key in _EFFECT_KEYS}
    unit = _unit(claim)
    gain, interval = gain_and_interval(effect, unit)
    return gain, interval, format_p(effect["p_adjusted"], alpha), mde_text(effect, unit)


def scope_text(claim: Mapping[str, Any], scope: str, alpha: float) -> str:
    """Return one scope in a line: "+3.1 % (+1.2 to +5.0), p = 0.004, MDE 2.1 %"."""
    gain, interval, p, mde = effect_cells(claim, scope, alpha)
    if gain == MISSING:
        return counts_text(claim) if scope == SCOPES[0] else MISSING
    parts = [f"{gain} ({interval})"]
    if p != MISSING:
        parts.append(f"p {p[0]} {p[1:]}" if p.startswith("<") else f"p = {p}")
    if mde != MISSING:
        parts.append(f"MDE {mde}")
    return ", ".join(parts)


def counts_text(claim: Mapping[str, Any]) -> str:
    """Return counts and their ratio: "Parameters: amb 612,000, finetuned 22,713,216; ratio …"."""
    counts = claim.get("counts")
    if not counts:
        return MISSING
    quantity = str(counts.get("quantity", "counts")).replace("_", " ").capitalize()
    each = ", ".join(f"{name} {_count(counts[key])}" for key, name in _sides(claim).items())
    limit = f" (registered limit: {_count(counts['threshold'])})" if "threshold" in counts else ""
    return f"{quantity}: {each}; ratio {_count(counts['ratio'])}{limit}"


def data_text(claim: Mapping[str, Any]) -> str:
    """Return the utterances, videos and seeds behind a claim."""
    seeds = claim.get("seeds") or {}
    names = _sides(claim)
    parts = []
    if claim.get("n_items"):
        parts.append(
            f"{_number(claim['n_items'])} utterances of {_number(claim.get('n_videos'))} videos"
        )
    if seeds:
        each = ", ".join(
            f"{names.get(key, key)} {_seed_count(value)}" for key, value in seeds.items()
        )
        parts.append(f"seeds: {each}")
    return "; ".join(parts)


def _section(claim: dict[str, Any], alpha: float) -> list[str]:
    verdict = str(claim["verdict"]).capitalize()
    parts = [
        f"## {markdown.escape(verdict)}: “{markdown.escape(str(claim['statement']))}”\n",
        markdown.escape(str(claim.get("reason") or "")) + "\n",
    ]
    if claim.get("scopes"):
        parts.append(_scopes_table(claim, claim["scopes"], alpha))
    if claim.get("without_collapsed"):
        parts.append("The same without collapsed runs:\n")
        parts.append(_scopes_table(claim, claim["without_collapsed"], alpha))
    parts.append("\n".join(f"- {markdown.escape(line)}" for line in _facts(claim)) + "\n")
    return parts


def _scopes_table(claim: Mapping[str, Any], scopes: Mapping[str, Any], alpha: float) -> str:
    """Return one row a scope: effect, interval, both p-values, MDE, verdict."""
    headings = ("Effect", interval_name(alpha), "p (no gain)", "p (gain of SESOI)", "MDE")
    columns = (Column("Scope"), *(Column(h, "right") for h in headings), Column("Verdict"))
    rows = []
    for scope in SCOPES:
        if scopes.get(scope):
            *cells, mde = effect_cells({**claim, "scopes": scopes}, scope, alpha)
            against = format_p(_value(scopes[scope].get("p_not_reproduced_adjusted")), alpha)
            verdict = str(scopes[scope].get("verdict") or MISSING)
            rows.append((SCOPE_LABELS[scope], *cells, against, mde, verdict))
    return markdown.render_table(Grid(columns, tuple(rows)))


def collapse_text(tested: Mapping[str, Any]) -> str:
    """Return the collapse rule and each method's collapsed runs; nothing where none was applied."""
    collapse = tested.get("collapse")
    if not collapse:
        return ""
    rule = collapse["rule"]
    metric = METRICS[rule["metric"]].label
    each = "; ".join(
        f"{method.get('label', name)} {len(method['collapsed_seeds'])} of {method['runs']}"
        for name, method in collapse["methods"].items()
    )
    return (
        f"Collapsed runs ({metric} on the {rule['split']} split worse than "
        f"{rule['worse_than']:g} times that of the best constant): {each}."
    )


def _facts(claim: Mapping[str, Any]) -> list[str]:
    contrast = _sides(claim)
    lines = [f"Claim {claim['id']}; source: {source_text(claim)}"]
    if len(contrast) == 2:
        metric = METRICS.get(str(claim.get("metric")))
        against = f"{contrast['a']} against {contrast['b']}"
        lines.append(
            against + (f", {metric.label}; positive: {contrast['a']} is better" if metric else "")
        )
    if claim.get("counts"):
        lines.append(counts_text(claim))
    lines += [line for line in (data_text(claim),) if line]
    if claim.get("headline_scope"):
        lines.append(f"The verdict is that of the scope “{SCOPE_LABELS[claim['headline_scope']]}”")
    return lines


def _sides(claim: Mapping[str, Any]) -> dict[str, str]:
    """Return what people call the claim's two methods."""
    contrast = claim.get("contrast") or {}
    names = {**contrast, **(contrast.get("labels") or {})}
    return {key: str(names[key]) for key in ("a", "b") if key in names}


def _unit(claim: Mapping[str, Any]) -> EffectUnit:
    metric = METRICS.get(str(claim.get("metric")))
    form = (claim.get("contrast") or {}).get("form", "difference")
    return effect_unit(metric or METRICS["mae"], form)


def _alpha(tested: Mapping[str, Any]) -> float:
    return float(tested.get("alpha") or DEFAULT_ALPHA)


def _value(value: object) -> float:
    return float(value) if isinstance(value, int | float) else _NAN


def _number(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, int | float) else MISSING


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _seed_count(value: object) -> str:
    return str(len(value)) if isinstance(value, list) else str(value)
