"""Metrics by definition as people read them: the variants, and how ranks move between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from amb.evaluation.metric_variants import VARIANTS
from amb.reporting.markup import latex, markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.rounding import UNDEFINED, format_number
from amb.reporting.tables.table_files import write_table_files
from amb.statistics.metric_ranks import (
    ChangingPair,
    VariantRanks,
    changing_pairs,
    ranks_by_definition,
)

TITLE = "Metrics by definition"
LEGEND = (
    "Mean over seeds; in brackets the rank among the rows, equal means sharing the better one. A "
    "pair changes places if one definition puts one row ahead and another the other. Ranks are of "
    "means alone: whether a difference is more than luck is told by the comparison table, under "
    "one definition. Undefined: a run has no such value."
)
IN_UNITS = ("MAE", "Corr")
NO_PAIR = "No pair of rows changes places."

METHOD = Column("Method", width_cm=3.4)
SUMMARY_COLUMNS = (
    Column("Metric"),
    Column("Definitions", "right"),
    Column("Pairs", "right"),
    Column("Change places", "right"),
    Column("First under all definitions", width_cm=5.0),
)
PAIR_COLUMNS = (
    Column("One row", width_cm=3.4),
    Column("Other row", width_cm=3.4),
    Column("One is ahead by", width_cm=4.6),
    Column("Other is ahead by", width_cm=4.6),
)
DEFINITION_COLUMNS = (
    Column("Definition", width_cm=3.4),
    Column("Variants (version)", width_cm=4.0),
    Column("What it is", width_cm=8.0),
)


def write_metric_variants(folder: Path, found: VariantRanks, split: str) -> None:
    """Write ``metric_variants.csv`` with unrounded means, ``.md``, ``.html`` and ``.tex``.

    Args:
        folder: Where to; created if need be.
        found: The ranks.
        split: The split that they are of.
    """
    text, tex = markdown_ranks(found, split), latex_ranks(found, split)
    write_table_files(folder, "metric_variants", TITLE, found.table, text, tex)


def markdown_ranks(found: VariantRanks, split: str) -> str:
    """Return the ranks as a Markdown page."""
    parts = [f"# {TITLE}\n", markdown.escape(items_text(found, split)) + "\n"]
    parts += [markdown.render_table(summary_grid(found.table))]
    for family, own in families(found.table):
        parts.append(f"## {markdown.escape(heading(family))}\n")
        parts.append(markdown.render_table(ranks_grid(own)))
        pairs = pairs_grid(own)
        parts.append(markdown.render_table(pairs) if pairs.rows else NO_PAIR + "\n")
        parts.append(markdown.render_table(definitions_grid(own)))
    parts.append(markdown.escape(LEGEND) + "\n")
    return "\n".join(parts)


def latex_ranks(found: VariantRanks, split: str) -> str:
    """Return the ranks as LaTeX floats: all metrics together, then each by itself."""
    label = "tab:metric-variants"
    note = f"{items_text(found, split)} {LEGEND}"
    tables = [latex.render_tables(summary_grid(found.table), f"{TITLE}.", label, note)]
    for family, own in families(found.table):
        below = f"{label}-{family.lower()}"
        title = f"{heading(family)}: means and ranks by definition."
        tables.append(latex.render_tables(ranks_grid(own), title, below))
        if (pairs := pairs_grid(own)).rows:
            title = f"{family}: pairs of rows that change places."
            tables.append(latex.render_tables(pairs, title, f"{below}-pairs"))
        title = f"{family}: the definitions."
        tables.append(latex.render_tables(definitions_grid(own), title, f"{below}-definitions"))
    return latex.HEADER + "\n".join(tables)


def families(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the families of a table of ranks with their rows, in its order."""
    for family, own in table.groupby("family", sort=False):
        yield str(family), own


def heading(family: str) -> str:
    """Return a family's name with unit and direction."""
    unit = "" if family in IN_UNITS else ", %"
    return f"{family}{unit}, {'lower' if family == 'MAE' else 'higher'} is better"


def items_text(found: VariantRanks, split: str) -> str:
    """Return what the ranks are of, and which variants were left out for what reason."""
    text = f"{found.n_items} utterances of the {split} split, {found.n_zero_labels} with label 0."
    for name, largest in found.left_out.items():
        limit = VARIANTS[name].label_limit
        text += f" {name} is left out: it is for labels within ±{limit:g}, and they reach "
        text += f"{largest:.7g}."
    return text


def summary_grid(table: pd.DataFrame) -> Grid:
    """Return one row a family: how many definitions and pairs, how many change, who is first."""
    rows = []
    for family, own in families(table):
        methods = own["method"].nunique()
        counts = (own["definition"].nunique(), methods * (methods - 1) // 2)
        cells = (*counts, len(changing_pairs(own)))
        rows.append((family, *(str(cell) for cell in cells), _first_under_all(own)))
    return Grid(SUMMARY_COLUMNS, tuple(rows))


def ranks_grid(own: pd.DataFrame) -> Grid:
    """Return one family's means and ranks: a row a method, a column a definition."""
    ranks = ranks_by_definition(own)
    columns = (METHOD, *(Column(str(name), "right") for name in ranks.columns))
    cells = {
        (row.method, row.definition): _mean_cell(row, own["family"].iloc[0])
        for row in own.itertuples()
    }
    labels = _labels(own)
    rows = tuple(
        (labels[method], *(cells[method, name] for name in ranks.columns)) for method in ranks.index
    )
    return Grid(columns, rows)


def pairs_grid(own: pd.DataFrame) -> Grid:
    """Return the pairs of one family that change places, a row a pair."""
    labels = _labels(own)
    return Grid(PAIR_COLUMNS, tuple(_pair_cells(pair, labels) for pair in changing_pairs(own)))


def definitions_grid(own: pd.DataFrame) -> Grid:
    """Return one family's definitions, with the variants that share each of them."""
    rows = []
    for name, shared in own.groupby("definition", sort=False):
        users = shared.drop_duplicates("variant")
        texts = [f"{row.variant} ({row.version})" for row in users.itertuples()]
        first = users.iloc[0]
        definition = VARIANTS[first["variant"]].metrics[first["metric"]].definition
        rows.append((str(name), ", ".join(texts), definition))
    return Grid(DEFINITION_COLUMNS, tuple(rows))


def list_text() -> str:
    """Return every variant with version and source, and its metrics, a line each."""
    lines = []
    for variant in VARIANTS.values():
        lines.append(f"{variant.name}, version {variant.version}: {variant.source}")
        lines += [
            f"  {metric.name:<10} {metric.family:<6} {metric.definition}"
            for metric in variant.metrics.values()
        ]
    return "\n".join(lines) + "\n"


def _first_under_all(own: pd.DataFrame) -> str:
    ranks = ranks_by_definition(own)
    always = [str(method) for method in ranks.index[(ranks == 1).all(axis=1)]]
    return ", ".join(_labels(own)[method] for method in always) or "none"


def _mean_cell(row: Any, family: str) -> str:
    if pd.isna(row.rank):
        return UNDEFINED
    scale, decimals = (1, 4) if family in IN_UNITS else (100, 2)
    return f"{format_number(row.mean * scale, decimals)} ({row.rank})"


def _pair_cells(pair: ChangingPair, labels: dict[str, str]) -> tuple[str, str, str, str]:
    names = labels[pair.first], labels[pair.second]
    return (*names, ", ".join(pair.first_ahead), ", ".join(pair.second_ahead))


def _labels(own: pd.DataFrame) -> dict[str, str]:
    return dict(zip(own["method"], own["label"], strict=True))
