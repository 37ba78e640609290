"""A profile of training steps as tables: phases, parts of the forward pass, modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from amb.durations import duration
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.terminal import rich_table

LONGEST_MODULES = 15  # shown; the file has all of them


def show_profile(profile: Mapping[str, Any], console: Console) -> None:
    """Print what ``amb profile`` measured."""
    for line in heading_lines(profile):
        console.print(Text(line), soft_wrap=True)
    console.print(rich_table(share_grid("phase of a step", profile["phases"])))
    console.print(rich_table(share_grid("part of the forward pass", profile["parts"])))
    console.print(rich_table(module_grid(profile["modules"])))


def heading_lines(profile: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was measured on what, and how fast it was."""
    hardware, step_ms = profile["hardware"], profile["step_ms"]
    where = f"{hardware['name']} ({hardware['type']}, {profile['threads']} threads)"
    yield f"{profile['method']}, seed {profile['seed']}, batch {profile['batch_size']}: {where}"
    speed = f"{profile['utterances_per_s']:.0f} utterances/s"
    pieces = f"{profile['word_pieces_per_s']:.0f} word-pieces/s"
    yield f"{step_ms:.2f} ms a step, {speed}, {pieces} (median of {profile['steps']} steps)"
    epoch = duration(step_ms * profile["steps_per_epoch"] / 1000)
    yield (
        f"An epoch of a seed: {profile['steps_per_epoch']} steps, about {epoch}, and validation;"
        f" at most {profile['max_epochs']} epochs."
    )
    slower = profile["hooked_step_ms"] / step_ms - 1
    yield f"The tables are of further steps, which watching changed by {slower:+.0%}."


def share_grid(heading: str, rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Return names, ms and shares."""
    columns = (Column(heading), Column("ms", "right"), Column("share, %", "right"))
    cells = ((row["name"], f"{row['ms']:.2f}", f"{100 * row['share']:.1f}") for row in rows)
    return Grid(columns, tuple(cells))


def module_grid(rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Return the modules that take longest by themselves."""
    numbers = ("calls a step", "ms", "ms by itself")
    columns = (Column("module"), *(Column(header, "right") for header in numbers))
    cells = (
        (
            row["name"],
            str(row["calls"]),
            f"{row['inclusive_ms']:.2f}",
            f"{row['exclusive_ms']:.2f}",
        )
        for row in rows[:LONGEST_MODULES]
    )
    return Grid(columns, tuple(cells))
