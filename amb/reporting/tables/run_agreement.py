"""Two results of the same runs, side by side on a terminal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from amb.printable import printable
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.metric_display import METRICS
from amb.reporting.rounding import MISSING
from amb.reporting.terminal import rich_table
from amb.statistics.run_agreement import Agreement, RunAgreement

SHOWN = ("mae", "corr", "acc7", "acc2_non0")  # the others are in the files


def show_agreement(agreement: Agreement, console: Console) -> None:
    """Print the table, then what it comes to."""
    console.print(rich_table(agreement_grid(agreement)))
    for line in summary_lines(agreement):
        console.print(Text(printable(line)), soft_wrap=True)


def agreement_grid(agreement: Agreement) -> Grid:
    """Return one row a run: differences of predictions, then of metrics on the test split."""
    numbers = ["largest |Δ|", "mean |Δ|", *(f"Δ {METRICS[name].label}" for name in SHOWN)]
    columns = [Column("method"), Column("seed", "right"), Column("same bits")]
    columns += [Column(header, "right") for header in numbers]
    columns.append(Column("hashes that differ"))
    return Grid(tuple(columns), tuple(_row(run) for run in agreement.runs))


def summary_lines(agreement: Agreement) -> Iterator[str]:
    """Yield what the table comes to, and what differs around the runs."""
    runs = agreement.runs
    same = sum(run.identical for run in runs)
    yield f"{same} of {len(runs)} runs have the same predictions to the last bit."
    worst = max(runs, key=lambda run: run.largest)
    if worst.largest > 0:
        where = f"{worst.method}, seed {worst.seed}"
        yield f"Largest difference of a prediction: {worst.largest:.2e} ({where})."
    changed = Counter(
        f"{name} is {a} in A and {b} in B"
        for run in runs
        for name, (a, b) in run.environment.items()
    )
    for line, count in changed.items():
        yield f"{line} ({count} of {len(runs)} runs)."
    if not changed:
        yield "Device, threads, versions and commit are the same."
    for side, keys in (("A", agreement.only_a), ("B", agreement.only_b)):
        if keys:
            names = ", ".join(f"{method} {seed}" for method, seed in keys)
            yield f"Only {side} has {len(keys)} runs: {names}."
    yield "Δ is B − A; metrics are those of the test split."


def _row(run: RunAgreement) -> tuple[str, ...]:
    return (
        run.method,
        str(run.seed),
        "yes" if run.identical else "no",
        _scientific(run.largest),
        _scientific(run.mean),
        *(_scientific(run.metrics.get(name, math.nan), signed=True) for name in SHOWN),
        ", ".join(run.identities) or "none",
    )


def _scientific(value: float, signed: bool = False) -> str:
    """Return a difference with two digits; 0 where there is none, a dash where it is undefined."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    return f"{value:+.1e}".replace("-", "−") if signed else f"{value:.1e}".replace("-", "−")
