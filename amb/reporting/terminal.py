"""A study's results on a terminal, or plain in a log: tables, verdicts, and where the files are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from amb.printable import printable
from amb.reporting import claim_texts
from amb.reporting.inputs import read_object
from amb.reporting.markup.grid import Grid
from amb.reporting.tables import captions, metric_variants
from amb.reporting.tables.comparison import read_comparison
from amb.reporting.tables.comparison_grids import (
    differences_by_metric,
    means_grid,
)
from amb.statistics.metric_ranks import VariantRanks

LABEL_WIDTH = 22
GAP = 2  # between two columns
_VERDICT_STYLES = {
    "reproduced": "bold green",
    "not reproduced": "bold red",
    "inconclusive": "bold yellow",
    "real but smaller than claimed": "bold cyan",
    "not tested": "bold magenta",
}


def show_results(folder: Path, console: Console) -> None:
    """Print the results of a study from the files in its folder.

    Args:
        folder: The study's results folder, with tables/comparison.csv and, once claims were
            tested, claims.json.
        console: Where to.
    """
    table = read_comparison(folder / "tables" / "comparison.csv")
    _heading(console, f"Comparison: {folder.resolve().name}")
    show_comparison(table, console)
    claims_file = folder / "claims.json"
    _heading(console, "Claims")
    if claims_file.is_file():
        tested = read_object(claims_file, "claims", list, "the file that amb claims writes")
        show_claims(tested, console)
    else:
        _text(console, f"No claims were tested: there is no {claims_file}.")
    _heading(console, "Files")
    for path in result_files(folder):
        console.print(Text(f"  {printable(str(path))}"), soft_wrap=True)


def show_comparison(table: pd.DataFrame, console: Console) -> None:
    """Print means with marks, then the differences on the study's first metric."""
    for grid in _fitting(means_grid(table), console.width):
        console.print(rich_table(grid))
    _text(console, captions.means_caption(table), "dim")
    differences = differences_by_metric(table)
    if differences:
        metric, grid = differences[0]
        _heading(console, f"Differences to the reference: {metric.label}")
        console.print(rich_table(grid))
        _text(console, captions.differences_caption(table), "dim")


def show_claims(tested: dict[str, Any], console: Console) -> None:
    """Print every claim: verdict, statement, reason, and the numbers at both scopes."""
    if warning := claim_texts.warning_text(tested):
        _text(console, warning, "bold red")
    _text(console, claim_texts.tally(tested["claims"]))
    alpha = float(tested.get("alpha") or claim_texts.DEFAULT_ALPHA)
    judged, untested = claim_texts.split_untested(tested["claims"])
    for claim in judged:
        verdict = str(claim["verdict"])
        statement = claim_texts.one_line(claim["statement"])
        console.print()
        console.print(
            Text.assemble(
                (printable(verdict.upper()), _VERDICT_STYLES.get(verdict, "bold")),
                f"  “{printable(statement)}”",
            )
        )
        for line in _claim_lines(claim, alpha):
            console.print(Padding(Text(printable(line)), (0, 0, 0, 4), expand=False))
    if untested:
        _heading(console, "Not tested here")
        for claim in untested:
            statement = claim_texts.one_line(claim["statement"])
            _text(console, f"- {statement}: {claim_texts.untested_reason(claim)}")
    if collapsed := claim_texts.collapse_text(tested):
        console.print()
        _text(console, collapsed, "dim")


def show_metric_variants(found: VariantRanks, split: str, console: Console) -> None:
    """Print every family's means and ranks, its definitions, and the pairs that change places."""
    _text(console, metric_variants.items_text(found, split))
    for family, own in metric_variants.families(found.table):
        _heading(console, metric_variants.heading(family))
        console.print(rich_table(metric_variants.ranks_grid(own)))
        for definition, variants, text in metric_variants.definitions_grid(own).rows:
            _text(console, f"{definition}: {text}; in {variants}")
        pairs = metric_variants.pairs_grid(own).rows
        for first, second, ahead, behind in pairs:
            _text(console, f"- {first} is ahead of {second} by {ahead}; behind by {behind}")
        if not pairs:
            _text(console, metric_variants.NO_PAIR)
    console.print()
    console.print(rich_table(metric_variants.summary_grid(found.table)))
    _text(console, metric_variants.LEGEND, "dim")


def result_files(folder: Path) -> list[Path]:
    """Return the report, claims, tables and figures that exist in a results folder."""
    names = ("index.html", "report.html", "claims.html", "claims.md", "claims.tex")
    single = [folder / name for name in names]
    found = [path for path in single if path.is_file()]
    for name in ("tables", "figures"):
        found += sorted(path for path in (folder / name).glob("[!.]*") if path.is_file())
    return found


def rich_table(grid: Grid) -> Table:
    """Return ``grid`` as a table of the terminal."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    for column in grid.columns:
        wraps = column.width_cm is not None
        table.add_column(
            Text(printable(_heading_lines(column.header))),
            justify="right" if column.align == "right" else "left",
            no_wrap=not wraps,
            min_width=LABEL_WIDTH // 2 if wraps else None,
            max_width=LABEL_WIDTH if wraps else None,
        )
    for row in _blocks(grid):
        table.add_row(*row)
    return table


def _claim_lines(claim: dict[str, Any], alpha: float) -> Iterator[str]:
    if claim.get("reason"):
        yield claim_texts.one_line(claim["reason"])
    for scope, label in claim_texts.CLAIM_SCOPE_LABELS.items():
        if (claim.get("scopes") or {}).get(scope):
            yield f"{label}: {claim_texts.scope_text(claim, scope, alpha)}"
    if claim.get("counts"):
        yield claim_texts.counts_text(claim)
    for text in (claim_texts.published_text, claim_texts.retention_text, claim_texts.timing_text):
        if line := text(claim):
            yield line
    if data := claim_texts.data_text(claim):
        yield data
    yield f"{claim['id']}; source: {claim_texts.source_text(claim)}"


def _fitting(grid: Grid, width: int) -> list[Grid]:
    """Return ``grid`` cut into grids that fit the width, the first column leading each of them.

    The last three columns, seeds and parameters, stay together.
    """
    counts = list(range(len(grid.columns) - 3, len(grid.columns)))
    groups: list[list[int]] = []
    for unit in [*([index] for index in range(1, counts[0])), counts]:
        if groups and _width(grid, [*groups[-1], *unit]) <= width:
            groups[-1] += unit
        else:
            groups.append(unit)
    return [grid.select([0, *group]) for group in groups]


def _width(grid: Grid, indices: list[int]) -> int:
    """Return how wide a table of the first column and ``indices`` is drawn."""
    cells = grid.select(indices)
    headings = tuple(_heading_lines(column.header) for column in cells.columns)
    columns = zip(headings, *cells.rows, strict=True)
    widths = [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]
    return LABEL_WIDTH + sum(widths) + GAP * (len(widths) + 1)


def _blocks(grid: Grid) -> Iterator[list[Text]]:
    """Yield each block of rows as one row of cells with several lines."""
    starts = sorted({0, *grid.block_starts}) if grid.block_starts else range(len(grid.rows))
    for start, end in pairwise([*starts, len(grid.rows)]):
        yield [_lines(grid, range(start, end), place) for place in range(len(grid.columns))]


def _lines(grid: Grid, rows: range, place: int) -> Text:
    """Return the cells of one column, a line each, without empty lines at the end."""
    texts = [
        Text(printable(grid.rows[row][place]), "bold" if (row, place) in grid.bold else "")
        for row in rows
    ]
    while len(texts) > 1 and not texts[-1].plain:
        texts.pop()
    return Text("\n").join(texts)


def _heading_lines(header: str) -> str:
    """Return a long heading with its parenthesis on a second line: the cells set the width."""
    return header.replace(" (", "\n(") if len(header) > 10 else header


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(printable(text), "bold underline"))


def _text(console: Console, text: str, style: str = "") -> None:
    console.print(Text(printable(text), style))
