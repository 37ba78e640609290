"""The efficiency table: parameters, time and memory of every row, with the hardware."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pandas as pd

from amb.errors import InputError
from amb.reporting.inputs import Layout
from amb.reporting.markup import latex, markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.rounding import MISSING, format_count, format_significant
from amb.reporting.tables.comparison_grids import LABEL
from amb.reporting.tables.table_files import write_table_files
from amb.statistics.costs import PLACE, summarise_costs

COSTS = Layout(
    text=("method", "device", "hardware", "identity_sha256"),
    numbers=(
        *("seed", "total_parameters", "trainable_parameters", "checkpoint_bytes", "epochs"),
        *("wall_time_s", "epoch_time_s", "cpu_time_s", "peak_memory_bytes", "threads"),
        "packed_seeds",
    ),
)
TITLE = "Parameters, training time and memory."
MEGABYTE, GIGABYTE = 1e6, 1e9
_CPU_MEMORY = (
    "on a CPU the largest resident memory of the process, its libraries and the data included"
)
_GPU_MEMORY = "on a GPU the most that PyTorch allocated there"


@dataclass(frozen=True)
class Place:
    """What a run trained on, as far as times can be compared within it.

    Attributes:
        device: ``cpu`` or ``cuda``; empty where no record says so.
        hardware: Name of the processor or GPU.
        threads: Threads of the process; infinite where no record says so.
        packed_seeds: How many seeds trained as one model.
    """

    device: str
    hardware: str
    threads: float
    packed_seeds: float

    @property
    def text(self) -> str:
        """The place in words."""
        kind = {"cpu": "CPU", "cuda": "GPU"}.get(self.device, self.device)
        parts = [f"{kind} {self.hardware}".strip() or "hardware not recorded"]
        if self.device == "cpu" and math.isfinite(self.threads):
            parts.append("1 thread" if self.threads == 1 else f"{self.threads:.0f} threads")
        if self.packed_seeds > 1:
            parts.append(f"{self.packed_seeds:.0f} seeds as one model")
        return ", ".join(parts)


def write_efficiency(folder: Path, costs: pd.DataFrame, labels: Mapping[str, str]) -> None:
    """Write ``efficiency.csv``, ``.md``, ``.html`` and ``.tex``.

    Args:
        folder: Where to; created if need be.
        costs: What every run cost.
        labels: The methods in table order, with their labels.
    """
    table = tidy_efficiency(costs, labels)
    text, tex = markdown_efficiency(table), latex_efficiency(table)
    write_table_files(folder, "efficiency", "Efficiency", table, text, tex)


def tidy_efficiency(costs: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the costs of every method, one row for each kind of hardware that it ran on.

    Args:
        costs: What every run cost: ``costs.csv``.
        labels: The methods in table order, with their labels.

    Returns:
        The columns of ``summarise_costs`` and ``label``.

    Raises:
        InputError: A method has no run in ``costs``.
    """
    summary = summarise_costs(costs)
    missing = [name for name in labels if name not in set(summary["method"])]
    if missing:
        raise InputError("costs.csv", "method", missing[0], "a row for each of its runs")
    order = {name: place for place, name in enumerate(labels)}
    own = summary[summary["method"].isin(order)]
    ordered = own.sort_values("method", key=lambda names: names.map(order), kind="stable")
    return ordered.assign(label=ordered["method"].map(dict(labels))).reset_index(drop=True)


def efficiency_grid(table: pd.DataFrame) -> Grid:
    """Return every row with its parameters, times and memory.

    Args:
        table: What ``tidy_efficiency`` returns.

    Returns:
        Grid; a column of CPU times only where they were recorded, one of hardware marks only where
        there is more than one.
    """
    marks, timed = place_marks(table), bool(table["cpu_time_s"].notna().any())
    columns = (
        LABEL,
        *(Column(name, "right") for name in ("Total", "Trainable", "Checkpoint, MB")),
        *((Column("On"),) if len(marks) > 1 else ()),
        *(Column(name, "right") for name in ("Runs", "Epochs", "Epoch, s", "Run, s")),
        Column("Range, s", "right"),
        *((Column("CPU, s", "right"),) if timed else ()),
        Column("Memory, GB", "right"),
    )
    firsts = ~table.duplicated("method")
    rows = (
        _cells(row, marks, timed, bool(first))
        for row, first in zip(table.itertuples(), firsts, strict=True)
    )
    return Grid(columns, tuple(rows))


def caption(table: pd.DataFrame) -> str:
    """Return what a reader of the table must know, the hardware above all."""
    marks = place_marks(table)
    memory = {"cpu": _CPU_MEMORY, "cuda": _GPU_MEMORY}
    kinds = [memory[device] for device in dict.fromkeys(table["device"]) if device in memory]
    return " ".join(
        [
            hardware_text(marks),
            "Total: all parameters, a frozen BERT's too; trainable: what training changes; "
            "checkpoint: the file of one run, which holds these alone (of a word embedding the "
            "rows that training saw). Epochs (up to early stopping), time of an epoch (validation "
            "included) and of a run, with its range: medians, as the clock ran, whatever else the "
            "machine did meanwhile; a claim of speed needs "
            f"interleaved timing. Memory: the peak, {'; '.join(kinds) or 'as recorded'}.",
        ]
    )


def markdown_efficiency(table: pd.DataFrame) -> str:
    """Return the table as a Markdown page."""
    grid = markdown.render_table(efficiency_grid(table))
    return "\n".join(["# Efficiency\n", grid, markdown.escape(caption(table)) + "\n"])


def latex_efficiency(table: pd.DataFrame) -> str:
    """Return the table as LaTeX floats."""
    grid = efficiency_grid(table)
    return latex.HEADER + latex.render_tables(grid, TITLE, "tab:efficiency", caption(table))


def place_marks(table: pd.DataFrame) -> dict[Place, str]:
    """Return a mark, A, B and so on, for each kind of hardware.

    Args:
        table: Rows with the columns of ``amb.statistics.costs.PLACE``.

    Returns:
        Place to its mark, in the order of the table.
    """
    places = list(dict.fromkeys(place_of(row) for row in table[PLACE].itertuples()))
    return {place: _mark(number) for number, place in enumerate(places)}


def place_of(row: Any) -> Place:
    """Return the place of a row; threads that no record names are infinite: NaN equals nothing."""
    threads = row.threads if row.threads == row.threads else math.inf
    return Place(row.device, row.hardware, threads, row.packed_seeds)


def hardware_text(marks: Mapping[Place, str]) -> str:
    """Return the hardware as a sentence, with marks where there is more than one."""
    if len(marks) == 1:
        return f"Hardware: {next(iter(marks)).text}."
    named = "; ".join(f"{mark}: {place.text}" for place, mark in marks.items())
    return f"Hardware differs; times and memory compare within a mark only. {named}."


def cost_text(rows: Sequence[Any], name: str, unit: float, marks: Mapping[Place, str]) -> str:
    """Return one measurement of a method: a number for each kind of hardware, never their mean.

    Args:
        rows: The method's rows of ``tidy_efficiency``.
        name: The column.
        unit: What a printed 1 stands for.
        marks: Marks of the hardware in the whole table.

    Returns:
        "11.6", or "11.6 (A), 2.13 (B)" where a table has more than one kind.
    """
    texts = [(format_significant(getattr(row, name) / unit), marks[place_of(row)]) for row in rows]
    if len(marks) == 1:
        return texts[0][0] if texts else MISSING
    return ", ".join(f"{text} ({mark})" for text, mark in texts) or MISSING


def _cells(row: Any, marks: Mapping[Place, str], timed: bool, first: bool) -> tuple[str, ...]:
    counts = (row.total_parameters, row.trainable_parameters)
    return (
        row.label if first else "",
        *(format_count(count) if first else "" for count in counts),
        format_significant(row.checkpoint_bytes / MEGABYTE) if first else "",
        *((marks[place_of(row)],) if len(marks) > 1 else ()),
        str(row.runs),
        f"{row.epochs:g}" if math.isfinite(row.epochs) else MISSING,
        format_significant(row.epoch_time_s),
        format_significant(row.wall_time_s),
        f"{format_significant(row.wall_time_s_min)} to {format_significant(row.wall_time_s_max)}",
        *((format_significant(row.cpu_time_s),) if timed else ()),
        format_significant(row.peak_memory_bytes / GIGABYTE),
    )


def _mark(number: int) -> str:
    primes, place = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[place] + "′" * primes
