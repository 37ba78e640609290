"""Tested claims as people read them: the verdict first, then the numbers it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amb.files import write_text
from amb.reporting.claim_texts import (
    CLAIM_SCOPE_LABELS,
    CLAIM_SCOPES,
    HARDWARE_SCOPE,
    HASH_DIGITS,
    alpha_of,
    collapse_text,
    effect_cells,
    facts,
    interval_name,
    number_text,
    one_line,
    provenance_lines,
    runs_by_row,
    scope_text,
    source_text,
    split_untested,
    tally,
    untested_reason,
    warning_text,
)
from amb.reporting.inputs import SCOPES
from amb.reporting.markup import latex, markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.markup.page import html_page
from amb.reporting.rounding import MISSING
from amb.reporting.tables.comparison_grids import SCOPE_LABELS

_LEGEND = (
    f"“{SCOPE_LABELS['fixed_set'].capitalize()}”: only the seeds are random; "
    f"“{SCOPE_LABELS['population']}”: seeds and videos are; "
    f"“{CLAIM_SCOPE_LABELS[HARDWARE_SCOPE]}”: timing blocks on the named machine are, and the "
    "effect is the log ratio of times. Effects are positive where the claim is right. p (for): "
    "small speaks for the claim. p (against): small speaks against it, for an ordering against a "
    "gain as large as the smallest effect size of interest. Both are to be held against the "
    "level, and are adjusted within the claim's family and scope; intervals are not adjusted. MDE "
    "(minimum detectable effect): the smallest effect that the test finds with 80 % power, before "
    "correction."
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
    parts = ["# Claims and verdicts\n"]
    if warning := warning_text(tested):
        parts.append(f"**{markdown.escape(warning)}**\n")
    parts.append(tally(claims) + "\n")
    judged, untested = split_untested(claims)
    for claim in judged:
        parts += _section(claim, alpha_of(tested))
    if untested:
        parts += ["## Not tested here\n", markdown.render_table(untested_grid(untested))]
    parts += ["## How to read this\n", _LEGEND + "\n"]
    if collapsed := collapse_text(tested):
        parts.append(markdown.escape(collapsed) + "\n")
    parts += [markdown.escape(line) + "\n" for line in provenance_lines(tested)]
    return "\n".join(parts)


def untested_grid(claims: Sequence[Mapping[str, Any]]) -> Grid:
    """Return the claims that a study cannot test, each with the reason, as a table."""
    columns = (Column("Claim", width_cm=8.0), Column("Why not", width_cm=6.0))
    rows = tuple(
        (f"{one_line(claim['statement'])} ({claim['id']})", untested_reason(claim))
        for claim in claims
    )
    return Grid(columns, rows)


def latex_claims(tested: Mapping[str, Any]) -> str:
    """Return the claims as LaTeX tables, and the runs behind them."""
    claims = tested["claims"]
    warning = warning_text(tested)
    opening = rf"\noindent\textbf{{{latex.escape(warning)}}}" + "\n\n" if warning else ""
    note = _latex_note(tested, alpha_of(tested))
    title = "Claims and verdicts."
    tables = latex.render_tables(_latex_grid(tested), title, "tab:claims", note) if claims else ""
    return latex.HEADER + opening + tables + _latex_runs(claims)


def _latex_grid(tested: Mapping[str, Any]) -> Grid:
    columns = (
        Column("Claim", width_cm=4.6),
        Column("Verdict", width_cm=2.0),
        *(Column(SCOPE_LABELS[scope].capitalize(), width_cm=4.2) for scope in SCOPES),
        Column("Test items", "right"),
    )
    rows = tuple(
        (
            f"{one_line(claim['statement'])} ({source_text(claim)})",
            claim["verdict"].capitalize(),
            *(scope_text(claim, scope, alpha_of(tested)) for scope in SCOPES),
            number_text(claim.get("n_items")),
        )
        for claim in tested["claims"]
    )
    return Grid(columns, rows, frozenset(range(1, len(rows))))


def _latex_note(tested: Mapping[str, Any], alpha: float) -> str:
    reading = (
        f"Effect (positive: as claimed), {interval_name(alpha)}, p adjusted within the claim's "
        "family and scope (p against: what speaks against a claim that is not reproduced), MDE "
        "(minimum detectable effect): the smallest effect that the test "
        f"finds with 80 % power. “{SCOPE_LABELS['fixed_set'].capitalize()}”: only seeds are "
        f"random; “{SCOPE_LABELS['population']}”: seeds and videos are."
    )
    return " ".join([reading, *provenance_lines(tested)])


def _latex_runs(claims: Sequence[Mapping[str, Any]]) -> str:
    """Return the runs behind all claims as a table, one row a method; nothing without runs."""
    runs = [run for claim in claims for run in claim.get("runs") or []]
    by_row = runs_by_row(runs)
    if not by_row:
        return ""
    columns = (Column("Row", width_cm=3.4), Column("Runs: seed and identity", width_cm=12.0))
    rows = tuple((row, ", ".join(own)) for row, own in by_row.items())
    note = (
        f"The first {HASH_DIGITS} digits of the hash of what makes a run this run: study, row, "
        "seed, data, backbone and source."
    )
    grid = Grid(columns, rows, frozenset(range(1, len(rows))))
    return latex.render_tables(grid, "Runs behind the claims.", "tab:claim-runs", note)


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
    parts.append("\n".join(f"- {markdown.escape(line)}" for line in facts(claim)) + "\n")
    return parts


def _scopes_table(claim: Mapping[str, Any], scopes: Mapping[str, Any], alpha: float) -> str:
    """Return one row a scope: effect, interval, both p-values, MDE, verdict."""
    headings = ("Effect", interval_name(alpha), "p (for)", "p (against)", "MDE")
    columns = (Column("Scope"), *(Column(h, "right") for h in headings), Column("Verdict"))
    rows = []
    for scope in CLAIM_SCOPES:
        if scopes.get(scope):
            cells = effect_cells({**claim, "scopes": scopes}, scope, alpha)
            verdict = str(scopes[scope].get("verdict") or MISSING)
            rows.append((CLAIM_SCOPE_LABELS[scope], *cells, verdict))
    return markdown.render_table(Grid(columns, tuple(rows)))
