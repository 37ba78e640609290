"""The calibration study as people read it: page, table, figure.

Rates by test and null, then by size and seeds, then what makes the population test conservative.
Every cell is in the CSV.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from amb.evaluation.metrics import METRICS
from amb.files import write_text
from amb.reporting.figures.calibration import calibration_figure
from amb.reporting.figures.style import save_figure
from amb.reporting.markup import markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.markup.page import html_page
from amb.reporting.rounding import MISSING
from amb.statistics.calibration.procedures import PROCEDURES
from amb.statistics.calibration.summary import (
    BAND,
    CONSERVATIVE,
    FAULTS,
    FEWEST_SEEDS,
    IN_BAND,
    LARGEST_CELL_SHARE,
    STANDARD_ERRORS,
    count_faults,
)

LABELS = {procedure.name: procedure.label for procedure in PROCEDURES}
SCOPE_LABELS = {"population": "population", "fixed_set": "fixed set"}
CELL_SHARES = (0.0, 0.1, 0.2, LARGEST_CELL_SHARE, 0.5, float("inf"))

_WHAT = (
    "How often the suite's tests reject a null that is true, at nominal .05, and how often their "
    "95 % intervals hold the truth. Predictions of two equally good methods are simulated with "
    "crossed Gaussian effects of seed, video and utterance, and go through the suite's own metrics "
    "and tests. At the population null both methods' effects are drawn from one law; seeds and "
    "videos are random. At the fixed-set null the test set consists of twin videos, one method "
    "has on a video what the other has on its twin, and only seeds are random. Both nulls are "
    "exact for every metric, as a difference and as a relative change."
)
_JUDGED = (
    "A test is judged only at the scope whose question it answers; the other rows are a warning "
    "(it must not be used so) or for information. Nothing is promised of the crossed bootstrap, a "
    "second opinion without a p-value: it rejects where its interval excludes 0. The label "
    "permutation has no interval, so no coverage; with three seeds it cannot reject at all. A rate "
    "is outside the band {low:.3f} to "
    "{high:.3f} only if it is beyond it by more than its own Monte-Carlo error, "
    f"{STANDARD_ERRORS} standard errors; with one standard error, {{beyond}} of {{judged}} judged "
    "rates would count as faults, neighbouring ones together. A rate "
    "above the band is a fault everywhere. The population test's rate below it is a fault from "
    f"{FEWEST_SEEDS} seeds on where at most a quarter of its variance is noise of a run on a "
    "video; elsewhere, and for the tests over seeds alone, it is called conservative: the interval "
    "is too wide, which costs power and condemns nobody wrongly. The limits of what is promised "
    "were set after a pilot run with seed 0, the margin of 1.96 after one with seed 2212. A run "
    "with seed 678 had one rate of 242 at .0287 ± .0031, out by more than its error, with 200 "
    "utterances, five seeds and a share of .28, where up to a third was promised; the quarter was "
    "chosen after it. A run of this test with seed 31, on 200 and 686 utterances, had .0377 ± "
    ".0035 there, and no rate out."
)
_COVERAGE = (
    "Coverage is measured at the null. It is the same for every gain that shifts a metric "
    "(difference) or scales it (relative), because the intervals move with it; a test shows this. "
    "Numbers of seeds share draws, as do metrics, forms and tests, so neighbouring rates err "
    "together."
)
_SHARES = (
    "Noise of a run on a video, including that of its utterances, is in the variance over seeds "
    "and in that over videos; it is subtracted once, but the test never goes below the larger of "
    "the two. The more of the variance it is, the more conservative the test."
)


def write_calibration(folder: Path, table: pd.DataFrame, seed: int) -> None:
    """Write ``calibration`` as ``.csv``, ``.md``, ``.html``, ``.png`` and ``.pdf``.

    Args:
        folder: Where to; created if need be.
        table: Frame of ``calibration_table``.
        seed: Seed of the study.
    """
    buffer = io.StringIO()
    table.to_csv(buffer, index=False)
    write_text(folder / "calibration.csv", buffer.getvalue())
    figure = calibration_figure(table)
    for suffix in ("png", "pdf"):
        save_figure(figure, folder / f"calibration.{suffix}")
    text = markdown_calibration(table, seed, "calibration.png")
    write_text(folder / "calibration.md", text)
    write_text(folder / "calibration.html", html_page("Calibration", text))


def write_calibration_page(page: Path, table: pd.DataFrame, seed: int) -> None:
    """Write the page for a reader of the repository, its figure under ``images/`` beside it."""
    save_figure(calibration_figure(table), page.parent / "images" / "calibration.png")
    write_text(page, markdown_calibration(table, seed, "images/calibration.png"))


def markdown_calibration(table: pd.DataFrame, seed: int, image: str) -> str:
    """Return the study as a Markdown page.

    Args:
        table: Frame of ``calibration_table``.
        seed: Seed of the study.
        image: Address of the figure, as seen from the page.

    Returns:
        The page.
    """
    replicates = table["replicates"].max()
    made = f"Made by `amb calibrate --replicates {replicates} --seed {seed}`: {len(table)} rates."
    own = table[(table["test"] == "population") & (table["null"] == "population")]
    return "\n".join(
        [
            "# Calibration\n",
            f"{made}\n",
            f"{markdown.escape(_WHAT)}\n",
            "## Rates\n",
            markdown.render_table(_overview(table)),
            *(f"{markdown.escape(note)}\n" for note in _notes(table)),
            f"{markdown.escape(_judged(table))}\n",
            f"![Rejection rate of every cell, with the band]({image})\n",
            f"{markdown.escape(_COVERAGE)}\n",
            "## By size and seeds\n",
            "Least, median and largest rate over variance components, metrics and forms.\n",
            markdown.render_table(_by_size(table)),
            "## What makes the population test conservative\n",
            f"{markdown.escape(_SHARES)}\n",
            markdown.render_table(_by_share(own)),
            *_fault_section(table),
        ]
    )


def faults(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return the cells that break a promise: cell, rate found, range expected."""
    low, high = BAND
    broken = table[table["verdict"].isin(FAULTS)]
    return [
        (
            f"{LABELS[cell['test']]}, {cell['items']} utterances, {cell['seeds']} seeds, "
            f"{cell['components']}, {METRICS[cell['metric']].label}, {cell['form']}",
            f"{cell['rejection_rate']:.4f} ± {cell['standard_error']:.4f}",
            f"{low:.3f} to {high:.3f}",
        )
        for cell in broken.to_dict("records")
    ]


def _judged(table: pd.DataFrame) -> str:
    low, high = BAND
    judged = table[table["promise"] != ""]
    beyond = count_faults(table, standard_errors=1.0)
    return _JUDGED.format(low=low, high=high, beyond=beyond, judged=len(judged))


def _notes(table: pd.DataFrame) -> list[str]:
    """Return what some tests do otherwise here than in a study, each once."""
    labels: dict[str, list[str]] = {}
    for procedure in PROCEDURES:
        if procedure.note and (table["test"] == procedure.name).any():
            labels.setdefault(procedure.note, []).append(procedure.label)
    return [f"{' and '.join(own).capitalize()}: {note}." for note, own in labels.items()]


def _groups(table: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield test, null and cells; tests at their own scope first."""
    for other in (False, True):
        for procedure in PROCEDURES:
            for null in SCOPE_LABELS:
                if (procedure.scope != null) == other:
                    cells = table[(table["test"] == procedure.name) & (table["null"] == null)]
                    if len(cells):
                        yield procedure.name, null, cells


def _overview(table: pd.DataFrame) -> Grid:
    columns = (
        Column("Test"),
        Column("Null is true at"),
        *(Column(name, "right") for name in ("Rate", "Largest error", "Coverage", "Cells")),
        Column("Replicates", "right"),
        *(Column(name, "right") for name in ("In band or within error", "Conservative", "Faults")),
    )
    return Grid(columns, tuple(_overview_row(*group) for group in _groups(table)))


def _overview_row(test: str, null: str, cells: pd.DataFrame) -> tuple[str, ...]:
    own = next(procedure.scope for procedure in PROCEDURES if procedure.name == test) == null
    judged = bool((cells["promise"] != "").any())
    verdicts = [
        str(int(cells["verdict"].isin(names).sum())) if judged else MISSING
        for names in ([IN_BAND], [CONSERVATIVE], FAULTS)
    ]
    return (
        LABELS[test],
        SCOPE_LABELS[null] + ("" if own else ", not its question"),
        _spread(cells["rejection_rate"]),
        f"{cells['standard_error'].max():.4f}",
        _spread(cells["coverage"]),
        str(len(cells)),
        str(cells["replicates"].max()),
        *verdicts,
    )


def _by_size(table: pd.DataFrame) -> Grid:
    seeds = sorted(table["seeds"].unique())
    columns = (
        Column("Test"),
        Column("Null is true at"),
        *(Column(name, "right") for name in ("Utterances", "Videos")),
        *(Column(f"{number} seeds", "right") for number in seeds),
    )
    rows: list[tuple[str, ...]] = []
    starts = []
    for test, null, cells in _groups(table):
        starts.append(len(rows))
        for (items, videos), own in cells.groupby(["items", "videos"]):
            rates = [_spread(own[own["seeds"] == number]["rejection_rate"]) for number in seeds]
            rows.append((LABELS[test], SCOPE_LABELS[null], str(items), str(videos), *rates))
    return Grid(columns, tuple(rows), frozenset(starts))


def _by_share(own: pd.DataFrame) -> Grid:
    columns = (
        Column("Share of the variance, %"),
        *(Column(name, "right") for name in ("Cells", "Rate, 3 seeds", "Rate, 5 seeds and more")),
    )
    rows = []
    for low, high in itertools.pairwise(CELL_SHARES):
        cells = own[(own["cell_share"] > low) & (own["cell_share"] <= high)]
        few = cells["seeds"] < FEWEST_SEEDS
        name = f"above {100 * low:.0f}" + ("" if high > 1 else f", up to {100 * high:.0f}")
        rates = cells["rejection_rate"]
        rows.append((name, str(len(cells)), _spread(rates[few]), _spread(rates[~few])))
    return Grid(columns, tuple(rows))


def _fault_section(table: pd.DataFrame) -> list[str]:
    found = faults(table)
    if not found:
        return []
    columns = (Column("Cell"), Column("Rate", "right"), Column("Promised", "right"))
    return ["## Faults\n", markdown.render_table(Grid(columns, tuple(found)))]


def _spread(values: pd.Series) -> str:
    """Return least, median and largest value."""
    values = values.dropna()
    if values.empty:
        return MISSING
    return f"{values.min():.3f} / {values.median():.3f} / {values.max():.3f}"
