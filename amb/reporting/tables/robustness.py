"""The robustness table as people read it: values, losses and contrasts, one table a corruption."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from amb.errors import InputError
from amb.reporting.corruption_names import LEVELS, title_of
from amb.reporting.inputs import SCOPES, Layout
from amb.reporting.markup import latex, markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.metric_display import METRICS, MetricDisplay, effect_unit
from amb.reporting.rounding import MISSING, format_mean, format_number, format_p
from amb.reporting.tables.comparison_grids import LABEL, SCOPE_LABELS, gain_and_interval, mde_text
from amb.reporting.tables.table_files import write_table_files
from amb.study import Study

_VALUES = ("noisy", "degradation", "retention")
_EFFECT = ("estimate", "ci_low", "ci_high", "p", "p_adjusted", "mde")
ROBUSTNESS = Layout(
    text=(
        *("quantity", "metric", "kind", "target", "method", "reference"),
        *(f"{scope}_{name}" for scope in SCOPES for name in ("test", "correction", "note")),
    ),
    numbers=(
        *("level", "draws", "seeds", "seeds_reference", "n_items", "n_videos"),
        *(f"{value}{part}" for value in _VALUES for part in ("", "_ci_low", "_ci_high")),
        *(f"{scope}_{name}" for scope in SCOPES for name in (*_EFFECT, "se", "df")),
    ),
)
_CURVE = ["kind", "target"]


def in_order(table: pd.DataFrame, study: Study, file: Path) -> pd.DataFrame:
    """Bring the robustness table into the study's order and add the rows' labels.

    Args:
        table: ``robustness.csv``.
        study: Grid, rows and metrics.
        file: Where the table came from, for the message.

    Returns:
        Rows by metric, corruption, method and level, the area last; with a column ``label``.

    Raises:
        InputError: The table was made for another study.
    """
    curves = [(e.kind, target) for e in (study.corruption.grid if study.corruption else ())
              for target in e.targets]  # fmt: skip
    orders: dict[str, list[Any]] = {
        "metric": list(study.statistics.metrics),
        "method": list(study.methods),
        "curve": curves,
    }
    pairs = [(row.kind, row.target) for row in table.itertuples()]
    keys = table.assign(curve=pd.Series(pairs, index=table.index, dtype="object"))
    for name, order in orders.items():
        foreign = [value for value in keys[name] if value not in order]
        if foreign:
            raise InputError(file, name, foreign[0], f"one of {', '.join(map(str, order))}")
        keys[name] = keys[name].map(order.index)
    places = keys.sort_values(["metric", "curve", "method", "level"], na_position="last").index
    labels = {name: row.label for name, row in study.methods.items()}
    ordered = table.loc[places].reset_index(drop=True)
    return ordered.assign(label=ordered["method"].map(labels))


def write_robustness(folder: Path, table: pd.DataFrame, study: Study) -> None:
    """Write ``robustness.csv``, ``.md``, ``.html`` and ``.tex``.

    Args:
        folder: Where to; created if need be.
        table: What ``in_order`` returns.
        study: Reference, metrics and level.
    """
    text, tex = markdown_robustness(table, study), latex_robustness(table, study)
    write_table_files(folder, "robustness", "Robustness", table, text, tex)


def markdown_robustness(table: pd.DataFrame, study: Study) -> str:
    """Return the tables of the study's first metric as a Markdown page."""
    own = table[table["metric"] == study.statistics.metrics[0]]
    parts = ["# Robustness to corrupted inputs\n", markdown.escape(caption(own, study)) + "\n"]
    for (kind, target), rows in own.groupby(_CURVE, sort=False):
        parts.append(f"## {markdown.escape(title_of(str(kind), str(target)))}\n")
        parts.append(markdown.escape(f"Level: {LEVELS[str(kind)]}.") + "\n")
        parts.append(markdown.render_table(curve_grid(rows, study.statistics.alpha)))
    return "\n".join(parts)


def curve_grid(rows: pd.DataFrame, alpha: float) -> Grid:
    """Return one corruption's table: every row at every level, and the area.

    Args:
        rows: One metric, kind and target of the table.
        alpha: One minus the level of the intervals.

    Returns:
        One block a method.
    """
    metric = METRICS[rows["metric"].iloc[0]]
    columns = [
        LABEL,
        Column("Level", "right", names_rows=True),
        Column(metric.heading, "right"),
        Column("Change", "right"),
        Column("Retained, %", "right"),
    ]
    for scope in SCOPES:
        columns.append(Column(f"Loses less, {SCOPE_LABELS[scope]}", "right"))
        columns += [Column("p (adj.)", "right"), Column("MDE", "right")]
    starts = [index for index, first in enumerate(~rows.duplicated("method")) if first]
    cells = tuple(
        _cells(row, metric, alpha, index in starts) for index, row in enumerate(rows.itertuples())
    )
    return Grid(tuple(columns), cells, frozenset(starts[1:]))


def latex_robustness(table: pd.DataFrame, study: Study) -> str:
    """Return the tables of the study's first metric as LaTeX floats, the caption below the last."""
    own = table[table["metric"] == study.statistics.metrics[0]]
    curves = list(own.groupby(_CURVE, sort=False))
    tables = []
    for place, ((kind, target), rows) in enumerate(curves, start=1):
        label = f"tab:robustness-{kind}-{target}".replace("_", "-").replace("+", "-")
        title = f"{title_of(str(kind), str(target))}; level: {LEVELS[str(kind)]}."
        note = caption(own, study) if place == len(curves) else ""
        grid = curve_grid(rows, study.statistics.alpha)
        tables.append(latex.render_tables(grid, title, label, note))
    return latex.HEADER + "\n".join(tables)


def caption(table: pd.DataFrame, study: Study) -> str:
    """Return what a reader of the tables must know."""
    metric = METRICS[study.statistics.metrics[0]]
    reference = study.methods[study.statistics.reference].label
    corrections = {c for scope in SCOPES for c in table[f"{scope}_correction"] if c}
    seeds = sorted({int(count) for count in table["seeds"]})
    return " ".join(
        [
            "Inputs of the test split are corrupted when frozen checkpoints predict, the same for "
            "every method and seed. Reconstruction: the noise protocol is not stated in the "
            "paper's abstract; kinds and levels are ours.",
            f"Test split: {table['n_items'].max():.0f} utterances of "
            f"{table['n_videos'].max():.0f} videos; seeds a method: "
            f"{' to '.join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))}; draws are averaged "
            "within a seed.",
            f"{metric.label} ({metric.direction}): mean over seeds ± half-width of the "
            f"{100 * (1 - study.statistics.alpha):g} % t interval over seeds. Change: corrupted "
            "minus clean. Retained: corrupted relative to clean (of an error, clean relative to "
            "corrupted). Area: of the change over the levels from 0, trapezoid rule.",
            f"Loses less: how much less a row loses than {reference}, with its interval; positive "
            "is better. At a margin m, a row is not inferior where its lower bound is above −m. "
            "No difference found is not equality: see the MDE.",
            f"Exploratory. p-values are corrected within each scope, levels and areas apart: "
            f"{'; '.join(sorted(corrections)) or 'no test was possible'}.",
            "Other metrics are in robustness.csv. A corruption that cannot reach what a row reads "
            "has no lines of that row.",
        ]
    )


def _cells(row: Any, metric: MetricDisplay, alpha: float, first: bool) -> tuple[str, ...]:
    area = row.quantity == "area"
    scale, decimals = metric.scale, metric.decimals
    noisy = _mean_cell(row, "noisy", scale, decimals)
    change = _mean_cell(row, "degradation", scale, decimals) if row.level != 0 else MISSING
    kept = MISSING if area or row.level == 0 else format_number(100 * row.retention, 1)
    cells = [row.label if first else "", "area" if area else f"{row.level:g}"]
    cells += [MISSING if area else noisy, change, kept]
    for scope in SCOPES:
        cells += _contrast_cells(row, scope, metric, alpha)
    return tuple(cells)


def _mean_cell(row: Any, name: str, scale: float, decimals: int) -> str:
    low, high = getattr(row, f"{name}_ci_low"), getattr(row, f"{name}_ci_high")
    return format_mean(getattr(row, name) * scale, (high - low) / 2 * scale, decimals)


def _contrast_cells(row: Any, scope: str, metric: MetricDisplay, alpha: float) -> list[str]:
    numbers = {name: getattr(row, f"{scope}_{name}") for name in _EFFECT}
    if not math.isfinite(numbers["estimate"]):
        return [MISSING] * 3
    unit = effect_unit(metric, "difference")
    gain, interval = gain_and_interval(numbers, unit)
    text = gain if interval == MISSING else f"{gain} ({interval})"
    mde = MISSING if numbers["p_adjusted"] < alpha else mde_text(numbers, unit)
    return [text, format_p(numbers["p_adjusted"], alpha), mde]
