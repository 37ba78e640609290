"""Published numbers beside the study's own rows: quoted, not run, each with its source.

A quoted number has no predictions: it cannot be tested, marked or traced to runs, and it stands on
the data, split, features and definition of its source. So it has a table of its own, in which the
study's rows stand apart from it and nothing is compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from string import ascii_lowercase

import pandas as pd

from amb.reporting.markup import latex, markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.metric_display import METRICS, MetricDisplay
from amb.reporting.rounding import MISSING
from amb.reporting.tables.captions import items_text, seeds_text
from amb.reporting.tables.comparison_grids import mean_cell, metrics_of
from amb.reporting.tables.table_files import write_table_files
from amb.statistics.published import PublishedNumber, PublishedNumbers
from amb.study import Study

TITLE = "Published numbers: quoted, not run."
OURS, QUOTED = "This study", "Quoted, not run"
RELATIVE = {
    "mae_relative_reduction": "relative reduction of the error",
    "acc7_relative_improvement": "relative improvement of Acc-7",
}
DATASET_NAMES = {
    "mosi": "CMU-MOSI",
    "mosei": "CMU-MOSEI",
    "sims": "CH-SIMS",
    "simsv2": "CH-SIMS v2",
}


def quoted_numbers(study: Study, published: PublishedNumbers) -> list[PublishedNumber]:
    """Return the numbers that are quoted on the study's data set, in the file's order."""
    return [number for number in published.numbers.values() if number.dataset == study.dataset()]


def write_published(
    folder: Path, study: Study, table: pd.DataFrame, numbers: Sequence[PublishedNumber]
) -> None:
    """Write ``published.csv``, ``.md``, ``.html`` and ``.tex``.

    Args:
        folder: Where to; created if need be.
        study: Data set, reader and backbone, for the caption.
        table: The tidy comparison.
        numbers: What ``quoted_numbers`` returns.
    """
    frame = tidy_published(table, numbers)
    text, tex = markdown_published(study, table, numbers), latex_published(study, table, numbers)
    write_table_files(folder, "published", TITLE.rstrip("."), frame, text, tex)


def tidy_published(table: pd.DataFrame, numbers: Sequence[PublishedNumber]) -> pd.DataFrame:
    """Return one row a number: ours with their intervals, then those quoted with their sources."""
    own = table[["method", "label", "metric", "mean", "ci_low", "ci_high", "seeds"]]
    ours = own.rename(columns={"method": "row", "mean": "value"}).assign(kind="run")
    marks = source_marks(numbers)
    quoted = pd.DataFrame(
        [
            {
                **{"kind": "quoted", "row": number.model, "label": number.model},
                **{"metric": number.metric, "value": number.value, "source": number.source},
                **{"note": number.note, "mark": marks[number.source, number.note]},
            }
            for number in numbers
        ]
    )
    columns = ["kind", "row", "label", "metric", "value", "ci_low", "ci_high", "seeds"]
    return pd.concat([ours, quoted], ignore_index=True)[[*columns, "mark", "source", "note"]]


def published_grid(table: pd.DataFrame, numbers: Sequence[PublishedNumber]) -> Grid:
    """Return the study's rows, and below them the quoted ones, with the marks of their sources.

    Args:
        table: The tidy comparison.
        numbers: What ``quoted_numbers`` returns.

    Returns:
        Columns kind, row and the metrics of the study. A model's mark stands behind its name, or
        behind each number where they come from several sources.
    """
    metrics = metrics_of(table)
    columns = (
        Column(""),
        Column("Row", width_cm=4.2),
        *(Column(metric.heading, "right") for metric in metrics),
    )
    ours = [_own_row(own, metrics) for _, own in table.groupby("method", sort=False)]
    marks = source_marks(numbers)
    models = dict.fromkeys(number.model for number in numbers)
    own_numbers = {name: [n for n in numbers if n.model == name] for name in models}
    quoted = [_quoted_row(own, metrics, marks) for own in own_numbers.values()]
    rows = [*_titled(ours, OURS), *_titled([row for row in quoted if row], QUOTED)]
    return Grid(columns, tuple(rows), frozenset({len(ours)} - {len(rows)}))


def source_marks(numbers: Sequence[PublishedNumber]) -> dict[tuple[str, str], str]:
    """Return a mark for every source and note: a, b, …, in the order of the numbers."""
    letters = [*ascii_lowercase, *(a + b for a, b in product(ascii_lowercase, repeat=2))]
    keys = list(dict.fromkeys((number.source, number.note) for number in numbers))
    return dict(zip(keys, letters, strict=False))


def caption(study: Study, table: pd.DataFrame, numbers: Sequence[PublishedNumber]) -> str:
    """Return what a reader of quoted numbers must know, their sources above all."""
    dataset = DATASET_NAMES.get(str(study.dataset()), str(study.dataset()))
    layers = f", first {study.backbone.layers} layers" if study.backbone.layers else ""
    metrics = {metric.name for metric in metrics_of(table)}
    used = [number for number in numbers if number.metric in metrics | RELATIVE.keys()]
    sources = [
        f"{mark}: {source}" + (f" ({note})" if note else "")
        for (source, note), mark in source_marks(numbers).items()
        if any((number.source, number.note) == (source, note) for number in used)
    ]
    return " ".join(
        [
            f"Quoted, not run: numbers that others published on {dataset}, as they wrote them; none"
            " was computed or checked here. They stand on the version, split, features, text model "
            "and definition of a metric of their source, so that no test, mark or rank holds them "
            "against rows of this study.",
            f"{OURS}: {dataset} as read by {study.data['reader']}, {items_text(table)} in the test "
            f"split, text model {study.backbone.name}{layers}; mean over seeds ± half-width of the "
            f"{100 * (1 - table['alpha'].iloc[0]):g} % t interval. {seeds_text(table)}",
            *_relative_sentences(used, source_marks(numbers)),
            f"Sources: {'; '.join(sources)}.",
        ]
    )


def markdown_published(
    study: Study, table: pd.DataFrame, numbers: Sequence[PublishedNumber]
) -> str:
    """Return the table as a Markdown page."""
    grid = markdown.render_table(published_grid(table, numbers))
    note = markdown.escape(caption(study, table, numbers))
    return "\n".join([f"# {TITLE.rstrip('.')}\n", grid, note + "\n"])


def latex_published(study: Study, table: pd.DataFrame, numbers: Sequence[PublishedNumber]) -> str:
    """Return the table as LaTeX floats."""
    grid, note = published_grid(table, numbers), caption(study, table, numbers)
    return latex.HEADER + latex.render_tables(grid, TITLE, "tab:published", note)


def quoted_text(number: PublishedNumber, metric: MetricDisplay) -> str:
    """Return a quoted number with the digits that its source has.

    Args:
        number: The number.
        metric: Its metric: fractions are printed as percentages.

    Returns:
        The text.
    """
    decimals = len((number.written or repr(number.value)).partition(".")[2])
    if metric.percent:
        decimals = max(decimals - 2, 0)
    return f"{number.value * metric.scale:.{decimals}f}"


def _own_row(own: pd.DataFrame, metrics: Sequence[MetricDisplay]) -> tuple[str, ...]:
    cells = {row.metric: row for row in own.itertuples()}
    means = (mean_cell(cells[metric.name], metric) for metric in metrics)
    return (own["label"].iloc[0], *means)


def _quoted_row(
    own: Sequence[PublishedNumber],
    metrics: Sequence[MetricDisplay],
    marks: Mapping[tuple[str, str], str],
) -> tuple[str, ...]:
    """Return one model's numbers; nothing where it is quoted with no metric of the study."""
    by_metric = {number.metric: number for number in own}
    shown = [by_metric[metric.name] for metric in metrics if metric.name in by_metric]
    if not shown:
        return ()
    sources = {(number.source, number.note) for number in shown}
    name = own[0].model + (f" [{marks[next(iter(sources))]}]" if len(sources) == 1 else "")
    several = len(sources) > 1
    cells = (_quoted_cell(by_metric.get(metric.name), several, marks) for metric in metrics)
    return (name, *cells)


def _quoted_cell(
    number: PublishedNumber | None, marked: bool, marks: Mapping[tuple[str, str], str]
) -> str:
    if number is None:
        return MISSING
    text = quoted_text(number, METRICS[number.metric])
    return f"{text} [{marks[number.source, number.note]}]" if marked else text


def _titled(rows: Sequence[tuple[str, ...]], title: str) -> list[tuple[str, ...]]:
    return [(title if place == 0 else "", *row) for place, row in enumerate(rows)]


def _relative_sentences(
    numbers: Sequence[PublishedNumber], marks: Mapping[tuple[str, str], str]
) -> list[str]:
    return [
        f"{number.model} is quoted with a {RELATIVE[number.metric]} of {100 * number.value:g} % "
        f"[{marks[number.source, number.note]}]."
        for number in numbers
        if number.metric in RELATIVE
    ]
