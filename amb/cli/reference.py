"""``amb reference``: a finished study as a small folder to commit."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Write the predictions, records and tables of a finished study as a small, verified folder."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("results", type=Path, help="results folder of a finished study")
    parser.add_argument(
        "--out", type=Path, help="folder to write (default: reference/<study> beside the results)"
    )


def run(args: argparse.Namespace) -> None:
    """Write the reference and say how large it is."""
    from amb.cli.verify import run_quietly
    from amb.publishing.reference import write_reference
    from amb.verification.display import summary_lines

    out = args.out or args.results.resolve().parent / "reference" / args.results.resolve().name
    for line in summary_lines(write_reference(args.results, out, run_quietly)):
        print(line)
    files = [file for file in out.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    print(f"{out}: {len(files)} files, {size / 1e6:.2f} MB")
