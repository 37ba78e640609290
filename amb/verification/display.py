"""What verifying came to, on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from amb.printable import REPLACEMENT, printable
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.terminal import rich_table
from amb.verification.compare import (
    DIFFERS,
    EXTRA,
    LEFT_OUT,
    MISSING,
    NOT_DRAWN,
    NOT_REBUILT,
    OTHER_BYTES,
    SAME_BYTES,
    SAME_NUMBERS,
    WRONG,
    FileResult,
)
from amb.verification.differences import ABSOLUTE, RELATIVE, Difference
from amb.verification.verify import Verification

SHOWN_DIFFERENCES = 12  # of one file; --output writes more
WIDEST_VALUE = 44
WIDEST_PLACE = 70
MEANINGS = {
    SAME_BYTES: "agrees",
    SAME_NUMBERS: f"agrees: numbers within {RELATIVE:g} relative or {ABSOLUTE:g} absolute",
    OTHER_BYTES: "rebuilt, drawn with other bytes: not compared",
    LEFT_OUT: "rebuilt, left out of the folder: not compared",
    NOT_DRAWN: "not drawn, as asked: not compared",
    DIFFERS: "DIFFERS",
    MISSING: "MISSING: it was rebuilt, the folder lacks it",
    NOT_REBUILT: "NOT REBUILT: its step failed",
    EXTRA: "EXTRA: no step makes it, so nothing in it was verified",
}


def show_verification(verification: Verification, console: Console) -> None:
    """Print a line a file, what differs, and what it comes to.

    Args:
        verification: The verification.
        console: Where to.
    """
    console.print(rich_table(files_grid(verification)))
    for file in verification.files:
        if file.differences:
            console.print(Text(plain(file.name), style="bold red"))
            console.print(rich_table(differences_grid(file)))
            hidden = len(file.differences) - SHOWN_DIFFERENCES
            if hidden > 0:
                console.print(Text(f"and {hidden} more\n"))
    for failure in verification.failures:
        console.print(Text(f"amb {failure.step} failed: {plain(failure.message, 2000)}", "red"))
    for line in summary_lines(verification):
        console.print(Text(line, style="bold green" if verification.agrees else "bold red"))


def files_grid(verification: Verification) -> Grid:
    """Return one row a file: its name and what became of it."""
    rows = tuple((plain(file.name), _state(file)) for file in verification.files)
    return Grid((Column("file"), Column("made again from the predictions")), rows)


def differences_grid(file: FileResult) -> Grid:
    """Return one row a difference: where, what the folder says, what was made again."""
    columns = (Column("place"), Column("in the folder"), Column("made again"))
    shown = file.differences[:SHOWN_DIFFERENCES]
    return Grid(columns, tuple(_row(difference) for difference in shown))


def summary_lines(verification: Verification) -> Iterator[str]:
    """Yield what the table comes to."""
    states = Counter(file.state for file in verification.files)
    agreed = states[SAME_BYTES] + states[SAME_NUMBERS]
    count = len(verification.files)
    yield (
        f"{plain(verification.folder, 200)}: study {verification.study}, {verification.runs} runs, "
        f"{verification.seconds:.1f} s"
    )
    yield f"{agreed} of {count} files agree, {states[SAME_BYTES]} of them byte for byte."
    if uncompared := sum(states[state] for state in (OTHER_BYTES, LEFT_OUT, NOT_DRAWN)):
        yield f"{uncompared} figures were not compared; --keep keeps those that were drawn."
    wrong = sum(states[state] for state in WRONG)
    if wrong or verification.failures:
        yield f"{wrong} files are wrong, {len(verification.failures)} steps failed."


def plain(text: str, widest: int = WIDEST_PLACE) -> str:
    """Return a text of unknown origin as one short line without control characters."""
    clean = printable(text.replace("\n", REPLACEMENT).replace("\t", REPLACEMENT))
    return clean if len(clean) <= widest else f"{clean[: widest - 1]}…"


def _row(difference: Difference) -> tuple[str, ...]:
    values = [plain(value, WIDEST_VALUE) for value in (difference.found, difference.rebuilt)]
    return (plain(difference.place), *values)


def _state(file: FileResult) -> str:
    found = len(file.differences)
    count = f" in {found} place{'s' if found > 1 else ''}" if found else ""
    return f"{MEANINGS[file.state]}{count}"
