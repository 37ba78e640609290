"""``amb compare-runs``: how far two results of the same runs agree."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

HELP = "compare two results of one study run by run: predictions, metrics, hashes, machines"
NARROWEST = 120  # columns that the table needs, also where there is no terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = "results folder, its folder runs, or the folder of one run"
    parser.add_argument("a", type=Path, metavar="A", help=what)
    parser.add_argument("b", type=Path, metavar="B", help="another one of the same study")
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        help="exit with status 1 if a prediction differs by more, or only one has a run",
    )
    parser.add_argument("--output", type=Path, help="file to write, .json or .csv")


def run(args: argparse.Namespace) -> None:
    """Compare, print and write.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: The folders cannot be compared, or the output has another suffix.
        SystemExit: The tolerance is exceeded.
    """
    from rich.console import Console

    from amb.errors import InputError
    from amb.files import atomic_path, write_json
    from amb.reporting.tables.run_agreement import show_agreement
    from amb.statistics.run_agreement import agreement_frame, compare_results, describe_agreement

    if args.output is not None and args.output.suffix not in (".json", ".csv"):
        raise InputError(args.output, "suffix", args.output.suffix, ".json or .csv")
    agreement = compare_results(args.a, args.b)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a log in ASCII gets question marks
    console = Console(highlight=False)
    console.width = max(console.width, NARROWEST)
    show_agreement(agreement, console)
    if args.output is not None and args.output.suffix == ".json":
        write_json(args.output, describe_agreement(agreement, args.tolerance))
    elif args.output is not None:
        with atomic_path(args.output) as temporary:
            agreement_frame(agreement).to_csv(temporary, index=False)
    if args.tolerance is not None and not agreement.within(args.tolerance):
        print(f"not the same within {args.tolerance:g}", file=sys.stderr)
        raise SystemExit(1)


def _tolerance(text: str) -> float:
    number = float(text)
    if not number >= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a number of at least 0")
    return number
