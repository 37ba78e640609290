"""``amb verify``: every table and figure of a results folder made again, and compared."""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

HELP = "Make every table and figure again from stored predictions; differences are an error."
NARROWEST = 120  # columns that the table needs, also where there is no terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = "results folder, or a folder or zip file with one under results/"
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help=what)
    parser.add_argument("--output", type=Path, help="JSON file to write, with every difference")
    parser.add_argument("--no-figures", action="store_true", help="numbers and tables only")
    parser.add_argument("--keep", type=Path, help="folder to keep what was made again in")


def run(args: argparse.Namespace) -> None:
    """Verify, print and write.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: A folder cannot be verified; or there are several and one place to write to.
        SystemExit: A number differs, or a file is missing.
    """
    from rich.console import Console

    from amb.errors import InputError
    from amb.files import write_json
    from amb.verification.display import show_verification
    from amb.verification.verify import describe, verify

    if len(args.folders) > 1 and (args.output or args.keep):
        raise InputError("amb verify", "folders", len(args.folders), "one, with --output or --keep")
    if args.keep is not None and args.keep.exists():
        raise InputError("amb verify", "--keep", str(args.keep), "a folder that does not exist yet")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a log in ASCII gets question marks
    console = Console(highlight=False)
    console.width = max(console.width, NARROWEST)
    agrees = True
    for folder in args.folders:
        kept = None if args.keep is None else (lambda made: shutil.copytree(made, args.keep))
        verification = verify(folder, run_quietly, kept, figures=not args.no_figures)
        show_verification(verification, console)
        agrees = agrees and verification.agrees
        if args.output is not None:
            write_json(args.output, describe(verification))
    if not agrees:
        raise SystemExit(1)


def run_quietly(arguments: Sequence[str]) -> None:
    """Run a command of ``amb`` in this process; prints and warnings are dropped, errors are not.

    The warnings are those that the folder's own run gave: a constant row has no Corr.

    Args:
        arguments: The command with its options.
    """
    import warnings
    from contextlib import redirect_stdout

    from amb.cli import build_parser

    args = build_parser().parse_args(arguments)
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        args.run(args)
