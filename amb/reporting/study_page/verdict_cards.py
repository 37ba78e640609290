"""Tested claims as cards: the verdict first, then its sentence, picture and numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amb.reporting.claim_texts import (
    CLAIM_SCOPE_LABELS,
    CLAIM_SCOPES,
    VERDICTS,
    alpha_of,
    collapse_text,
    counts_text,
    data_text,
    effect_cells,
    facts,
    interval_name,
    one_line,
    provenance_lines,
    source_text,
    split_untested,
    untested_reason,
    warning_text,
)
from amb.reporting.study_page.claim_words import SCOPE_QUESTIONS, direction, plain_sentence
from amb.reporting.study_page.effect_plot import EffectPlot, effect_plot

SHAPES = dict(
    zip(
        VERDICTS,
        ("reproduced", "smaller", "inconclusive", "not-reproduced", "untested"),
        strict=True,
    )
)


@dataclass(frozen=True)
class ScopeRow:
    """One scope's numbers as text."""

    label: str
    question: str
    is_headline: bool
    effect: str
    interval: str
    p_for: str
    p_against: str
    mde: str
    verdict: str
    shape: str


@dataclass(frozen=True)
class Part:
    """One part of a claim that says that several hold."""

    anchor: str
    statement: str
    verdict: str
    shape: str


@dataclass(frozen=True)
class Card:
    """One tested claim as the page shows it."""

    anchor: str
    verdict: str
    shape: str
    statement: str
    source: str
    sentence: str
    reason: str
    data: str
    counts: str
    count_bars: tuple[tuple[str, str, float], ...]
    plot: EffectPlot | None
    scopes: tuple[ScopeRow, ...]
    without_collapsed: tuple[ScopeRow, ...]
    parts: tuple[Part, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Verdicts:
    """All claims of a study.

    Attributes:
        cards: The tested ones, in the order in which they were registered.
        untested: Anchor, statement and reason of the others.
        tally: Verdict, shape and how many claims have it.
        warning: Said first where claims were edited after the labels were read.
        interval: What the interval is called.
        notes: Where the claims come from and what was done with collapsed runs.
    """

    cards: tuple[Card, ...]
    untested: tuple[tuple[str, str, str], ...]
    tally: tuple[tuple[str, str, int], ...]
    warning: str
    interval: str
    notes: tuple[str, ...]


def verdicts_of(tested: Mapping[str, Any]) -> Verdicts:
    """Arrange tested claims for the page.

    Args:
        tested: The content of ``claims.json``.

    Returns:
        Cards, untested claims and notes.
    """
    alpha = alpha_of(tested)
    judged, untested = split_untested(tested["claims"])
    counts = Counter(str(claim["verdict"]) for claim in tested["claims"])
    names = [*VERDICTS, *sorted(set(counts) - set(VERDICTS))]
    notes = [note for note in (collapse_text(tested), *provenance_lines(tested)) if note]
    return Verdicts(
        cards=tuple(_card(claim, alpha) for claim in judged),
        untested=tuple(
            (_anchor(claim), one_line(claim["statement"]), untested_reason(claim))
            for claim in untested
        ),
        tally=tuple((name, _shape(name), counts[name]) for name in names if counts[name]),
        warning=warning_text(tested),
        interval=interval_name(alpha),
        notes=tuple(notes),
    )


def _card(claim: Mapping[str, Any], alpha: float) -> Card:
    verdict = str(claim["verdict"])
    return Card(
        anchor=_anchor(claim),
        verdict=verdict,
        shape=_shape(verdict),
        statement=one_line(claim["statement"]),
        source=source_text(claim),
        sentence=plain_sentence(claim),
        reason=one_line(claim.get("reason") or ""),
        data=data_text(claim),
        counts=counts_text(claim) if claim.get("counts") else "",
        count_bars=_count_bars(claim),
        plot=effect_plot(claim, direction(claim)),
        scopes=_scope_rows(claim, claim.get("scopes") or {}, alpha),
        without_collapsed=_scope_rows(claim, claim.get("without_collapsed") or {}, alpha),
        parts=tuple(_part(part) for part in claim.get("parts") or []),
        facts=tuple(facts(claim)),
    )


def _scope_rows(
    claim: Mapping[str, Any], scopes: Mapping[str, Any], alpha: float
) -> tuple[ScopeRow, ...]:
    rows = []
    for scope in CLAIM_SCOPES:
        numbers = scopes.get(scope)
        if not numbers:
            continue
        cells = effect_cells({**claim, "scopes": scopes}, scope, alpha)
        verdict = str(numbers.get("verdict") or "")
        rows.append(
            ScopeRow(
                label=CLAIM_SCOPE_LABELS[scope].capitalize(),
                question=SCOPE_QUESTIONS[scope],
                is_headline=scope == claim.get("headline_scope"),
                **cells._asdict(),
                verdict=verdict,
                shape=_shape(verdict),
            )
        )
    return tuple(rows)


def _part(part: Mapping[str, Any]) -> Part:
    verdict = str(part["verdict"])
    statement = one_line(part.get("statement") or part["id"])
    return Part(_anchor(part), statement, verdict, _shape(verdict))


def _count_bars(claim: Mapping[str, Any]) -> tuple[tuple[str, str, float], ...]:
    """Return name, count and length in per cent of both sides; nothing for other claims."""
    counts = claim.get("counts")
    if not counts:
        return ()
    names = {**claim["contrast"], **(claim["contrast"].get("labels") or {})}
    largest = max(counts["a"], counts["b"])
    return tuple(
        (str(names[side]), f"{counts[side]:,}", round(max(100 * counts[side] / largest, 0.5), 2))
        for side in ("a", "b")
    )


def _shape(verdict: str) -> str:
    return SHAPES.get(verdict, "inconclusive")


def _anchor(claim: Mapping[str, Any]) -> str:
    """Return an anchor that no other claim has: ids are letters, digits and hyphens."""
    return "claim-" + re.sub(r"[^A-Za-z0-9_.-]", "-", str(claim["id"]))
