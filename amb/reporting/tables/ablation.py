"""Ablations of the full model: what BERT does by where modalities meet (T2), where and how (T3).

Both are the same table: cells of a grid that the study's options fill or leave open, each with its
score, its cost and its difference to the full model, tested between these two rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from amb.family import Cell
from amb.reporting.inputs import SCOPES
from amb.reporting.markup import latex, markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.metric_display import METRICS, MetricDisplay, effect_unit
from amb.reporting.rounding import MISSING, format_count, format_p
from amb.reporting.tables.captions import items_text, pairs_test_text, seeds_text
from amb.reporting.tables.comparison_grids import (
    MARKS,
    SCOPE_LABELS,
    gain_and_interval,
    mde_text,
    mean_cell,
)
from amb.reporting.tables.efficiency import GIGABYTE, cost_text, hardware_text, place_marks
from amb.reporting.tables.table_files import write_table_files

NOT_HERE = "not in this study"
_EFFECT = ("estimate", "ci_low", "ci_high", "p", "p_adjusted", "mde", "significant")
_COSTS = ("wall_time_s", "epoch_time_s", "peak_memory_bytes")


@dataclass(frozen=True)
class Ablation:
    """What an ablation is called, and what its two naming columns hold."""

    name: str
    title: str
    group: str
    value: str


TUNING = Ablation("ablation", "Ablation: what BERT does by where modalities meet", "BERT", "Fusion")
FUSION = Ablation("fusion", "Where and how fusion acts", "Axis", "Fusion")


def tidy_ablation(
    cells: Sequence[Cell], full: str, table: pd.DataFrame, pairs: pd.DataFrame, costs: pd.DataFrame
) -> pd.DataFrame:
    """Join the cells of an ablation with scores, costs, and differences to the full model.

    Args:
        cells: The cells in order, some without a row.
        full: The row of the full model.
        table: The tidy comparison.
        pairs: Tests of all pairs.
        costs: What ``tidy_efficiency`` returns.

    Returns:
        One row a cell and metric (a single one for a cell without a row): ``group``, ``value``,
        ``full``, the columns of the comparison that describe a row, medians of costs (missing where
        a row ran on several kinds of hardware), and by scope the gain over the full model.
    """
    rows = []
    for cell in cells:
        named = {"group": cell.group, "value": cell.value, "full": full, "method": cell.method}
        own = table[table["method"] == cell.method]
        spent = costs[costs["method"] == cell.method]
        measured = {name: spent[name].iloc[0] for name in _COSTS} if len(spent) == 1 else {}
        for _, scores in own.iterrows():
            described = {name: scores[name] for name in _DESCRIBING}
            rows.append({**named, **described, **measured, **_gains(pairs, scores, full)})
        if own.empty:
            rows.append(named)
    columns = ["group", "value", "full", "method", *_DESCRIBING, *_COSTS, *_GAINS]
    return pd.DataFrame(rows, columns=columns)


_DESCRIBING = (
    *("label", "metric", "seeds", "mean", "std", "ci_low", "ci_high", "n_items", "n_videos"),
    *("trainable_parameters", "total_parameters", "alpha"),
)
_GAINS = [f"{scope}_{name}" for scope in SCOPES for name in _EFFECT]


def write_ablation(
    folder: Path, kind: Ablation, tidy: pd.DataFrame, table: pd.DataFrame, costs: pd.DataFrame
) -> None:
    """Write ``<name>.csv``, ``.md``, ``.html`` and ``.tex``.

    Args:
        folder: Where to; created if need be.
        kind: Which ablation.
        tidy: What ``tidy_ablation`` returns.
        table: The tidy comparison, for the caption.
        costs: What ``tidy_efficiency`` returns.
    """
    text = markdown_ablation(kind, tidy, table, costs)
    tex = latex_ablation(kind, tidy, table, costs)
    write_table_files(folder, kind.name, kind.title, tidy, text, tex)


def scores_grid(kind: Ablation, tidy: pd.DataFrame, costs: pd.DataFrame) -> Grid:
    """Return every cell with its row, scores, trainable parameters, time and memory.

    Args:
        kind: Which ablation, for the headings.
        tidy: What ``tidy_ablation`` returns.
        costs: What ``tidy_efficiency`` returns, of the whole study.

    Returns:
        One row a cell; a cell that no row fills says so.
    """
    metrics = _metrics(tidy)
    columns = (
        *_naming(kind),
        *(Column(metric.heading, "right") for metric in metrics),
        *(Column(name, "right") for name in ("Trainable", "Run, s", "Memory, GB")),
    )
    shown = costs[costs["method"].isin(tidy["method"])]
    rows: list[tuple[str, ...]] = []
    starts: list[int] = []
    for own, names, begins in _cells(tidy):
        starts += [len(rows)] if begins else []
        rows.append((*names, *_scores(own, metrics, shown)))
    return Grid(columns, tuple(rows), frozenset(starts))


def gains_grid(kind: Ablation, tidy: pd.DataFrame) -> Grid:
    """Return the differences of every filled cell to the full model, in the first metric.

    Args:
        kind: Which ablation, for the headings.
        tidy: What ``tidy_ablation`` returns.

    Returns:
        One row a cell and scope: gain, interval, adjusted p, MDE; the full model has none.
    """
    metric, percent = _metrics(tidy)[0], f"{100 * (1 - tidy['alpha'].max()):g} %"
    numbers = ("Gain", f"{percent} interval", "p (adj.)", "MDE")
    columns = (*_naming(kind), Column("Scope"), *(Column(name, "right") for name in numbers))
    rows: list[tuple[str, ...]] = []
    starts: list[int] = []
    others = tidy[tidy["method"].notna() & (tidy["method"] != tidy["full"])]
    for own, names, _ in _cells(others):
        starts.append(len(rows))
        first = next(own[own["metric"] == metric.name].itertuples())
        for scope in SCOPES:
            named = names if scope == SCOPES[0] else ("", "", "")
            rows.append((*named, SCOPE_LABELS[scope], *_gain_cells(first, scope, metric)))
    return Grid(columns, tuple(rows), frozenset(starts[1:]))


def caption(tidy: pd.DataFrame, table: pd.DataFrame, costs: pd.DataFrame) -> str:
    """Return what a reader of the scores and the differences must know.

    Args:
        tidy: What ``tidy_ablation`` returns.
        table: The tidy comparison.
        costs: What ``tidy_efficiency`` returns.

    Returns:
        Plain sentences.
    """
    metric, percent = _metrics(tidy)[0], f"{100 * (1 - table['alpha'].iloc[0]):g} %"
    label = tidy.loc[tidy["method"] == tidy["full"], "label"].iloc[0]
    methods = table[table["method"].isin(tidy["method"])]
    shown = costs[costs["method"].isin(tidy["method"])]
    sentences = [
        "Rows are chosen by their options: they differ from the full model, "
        f"{label}, in what the first two columns say and in nothing else of the model. "
        "Reconstruction: sizes, operators and placement are ours.",
        f"Test split: {items_text(methods)}. Mean over seeds ± half-width of the {percent} t "
        f"interval over seeds. {seeds_text(methods)}",
        "Run: median time of a run, as the clock ran, whatever else the machine did meanwhile; "
        "memory: its peak (see the efficiency table). " + hardware_text(place_marks(shown)),
        f"Gain over {label} in {metric.label}, with its {percent} interval (not corrected); "
        "positive is better. "
        + " ".join(
            f"“{SCOPE_LABELS[scope].capitalize()}”: {pairs_test_text(table, scope)}; {MARKS[scope]}"
            f": adjusted p < {table['alpha'].iloc[0]:g}."
            for scope in SCOPES
        ),
        "No mark does not mean equal: see the MDE (minimum detectable effect).",
        f"Gains in the other metrics are in the CSV file. {NOT_HERE.capitalize()}: no row has these"
        " options.",
    ]
    return " ".join(sentences)


def markdown_ablation(
    kind: Ablation, tidy: pd.DataFrame, table: pd.DataFrame, costs: pd.DataFrame
) -> str:
    """Return scores and differences as a Markdown page."""
    return "\n".join(
        [
            f"# {kind.title}\n",
            markdown.render_table(scores_grid(kind, tidy, costs)),
            markdown.render_table(gains_grid(kind, tidy)),
            markdown.escape(caption(tidy, table, costs)) + "\n",
        ]
    )


def latex_ablation(
    kind: Ablation, tidy: pd.DataFrame, table: pd.DataFrame, costs: pd.DataFrame
) -> str:
    """Return scores and differences as LaTeX floats."""
    label, note = f"tab:{kind.name}", caption(tidy, table, costs)
    scores = latex.render_tables(scores_grid(kind, tidy, costs), f"{kind.title}.", label)
    title = f"{kind.title}: differences to the full model."
    gains = latex.render_tables(gains_grid(kind, tidy), title, f"{label}-gains", note)
    return f"{latex.HEADER}{scores}\n{gains}"


def _gains(pairs: pd.DataFrame, scores: pd.Series, full: str) -> dict[str, Any]:
    """Return the tests of one row against the full model in one metric, by scope."""
    own = pairs[pairs["metric"] == scores["metric"]]
    gains: dict[str, Any] = {}
    for a, b, sign in ((scores["method"], full, 1), (full, scores["method"], -1)):
        for _, test in own[(own["a"] == a) & (own["b"] == b)].iterrows():
            numbers = _oriented(test, sign)
            gains |= {f"{test['scope']}_{name}": value for name, value in numbers.items()}
    return gains


def _oriented(test: pd.Series, sign: int) -> dict[str, Any]:
    """Return a test's numbers, those of its mirror image where ``sign`` is −1."""
    numbers: dict[str, Any] = {name: test[name] for name in _EFFECT}
    if sign < 0:
        numbers["estimate"] = -test["estimate"]
        numbers["ci_low"], numbers["ci_high"] = -test["ci_high"], -test["ci_low"]
    return numbers


def _metrics(tidy: pd.DataFrame) -> list[MetricDisplay]:
    return [METRICS[name] for name in tidy["metric"].dropna().unique()]


def _naming(kind: Ablation) -> tuple[Column, ...]:
    return (Column(kind.group), Column(kind.value), Column("Row", width_cm=3.4))


def _cells(tidy: pd.DataFrame) -> list[tuple[pd.DataFrame, tuple[str, str, str], bool]]:
    """Return the frame of each cell, its names, and whether a new group begins with it."""
    cells, previous = [], None
    keys = tidy[["group", "value", "method"]].fillna("")
    for (group, value, method), own in tidy.groupby(
        [keys["group"], keys["value"], keys["method"]], sort=False
    ):
        name = str(own["label"].iloc[0]) if method else NOT_HERE
        begins = previous is not None and group != previous
        cells.append((own, (str(group) if group != previous else "", str(value), name), begins))
        previous = group
    return cells


def _scores(
    own: pd.DataFrame, metrics: Sequence[MetricDisplay], costs: pd.DataFrame
) -> tuple[str, ...]:
    if own["metric"].isna().all():
        return (MISSING,) * (len(metrics) + 3)
    rows: dict[str, Any] = {str(row.metric): row for row in own.itertuples()}
    first = rows[metrics[0].name]
    spent = [row for row in costs.itertuples() if row.method == first.method]
    marks = place_marks(costs)
    return (
        *(mean_cell(rows[metric.name], metric) for metric in metrics),
        format_count(first.trainable_parameters),
        cost_text(spent, "wall_time_s", 1.0, marks),
        cost_text(spent, "peak_memory_bytes", GIGABYTE, marks),
    )


def _gain_cells(row: Any, scope: str, metric: MetricDisplay) -> tuple[str, str, str, str]:
    effect = {name: getattr(row, f"{scope}_{name}") for name in _EFFECT}
    unit = effect_unit(metric, "difference")
    gain, interval = gain_and_interval(effect, unit)
    significant = effect["p_adjusted"] < row.alpha
    mark = f" {MARKS[scope]}" if significant else ""
    mde = MISSING if significant else mde_text(effect, unit)
    return gain, interval, format_p(effect["p_adjusted"], row.alpha) + mark, mde
