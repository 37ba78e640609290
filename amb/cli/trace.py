"""``amb trace``: the files and seeds behind a cell of a table, and its number computed again."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from amb.errors import InputError
from amb.printable import printable

if TYPE_CHECKING:
    from amb.reporting.trace import Trace
    from amb.study import Study

HELP = "Print the files behind a cell of a table, its seeds, and compute its number again."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("results", type=Path, help="the study's results folder: results/demo")
    parser.add_argument("cell", nargs="?", help="table:row:metric, as comparison:amb:mae")
    parser.add_argument("--table", help="instead of CELL: the table")
    parser.add_argument("--row", help="instead of CELL: the row's name in the study")
    parser.add_argument("--metric", help="instead of CELL: the metric")


def run(args: argparse.Namespace) -> None:
    """Print what stands behind a cell, then fail if it does not agree.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: There is no such cell, a file is missing, or a number computed from the
            predictions is not the one in the table.
    """
    from amb.reporting.trace import Address, trace
    from amb.resolved_study import read_resolved_study

    named = (args.table, args.row, args.metric)
    if (args.cell is None) == (None in named):
        raise InputError(
            "command line", "CELL", args.cell, "table:row:metric, or --table, --row and --metric"
        )
    address = Address.parse(args.cell or ":".join(named))
    study = read_resolved_study(args.results / "study.json")
    found = trace(args.results, study, address, _bounds(study))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a log in ASCII is no error
    print(printable("\n".join(_lines(found))))
    for check in found.checks:
        if not check.agrees:
            where = f"{address}, {check.name}"
            expected = f"{check.again!r}, computed from the files of its runs"
            raise InputError(found.file, where, check.found, expected)


def _bounds(study: Study) -> dict[str, dict[str, float]] | None:
    if study.data["reader"] != "demo":
        return None
    from amb.data.demo import DemoSettings, bounds

    return bounds(DemoSettings(**study.data["demo"]))


def _lines(found: Trace) -> list[str]:
    lines = [f"{found.address} in {found.file}", "", "Files (SHA-256; identity of the run):"]
    lines += [f"  {own.path}  {own.sha256}  {own.identity}" for own in found.files]
    if found.seeds:
        lines += ["", f"{found.address.metric} by seed:"]
        lines += [f"  {method}  seed {seed}  {value!r}" for method, seed, value in found.seeds]
    if found.checks:
        lines += ["", "In the table, and computed again:"]
    for check in found.checks:
        verdict = "agrees" if check.agrees else "DIFFERS"
        lines.append(f"  {check.name}  {check.found!r}  {check.again!r}  {verdict}")
    return [*lines, *(("", *found.notes) if found.notes else ())]
