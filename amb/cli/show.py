"""``amb show``: a study's results on the terminal, from the files in its folder alone."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

HELP = "Print a study's comparison, verdicts and files, in colour on a terminal."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("results", type=Path, help="the study's results folder: results/demo")


def run(args: argparse.Namespace) -> None:
    """Print the results."""
    from rich.console import Console

    from amb.reporting.terminal import show_results

    if isinstance(sys.stdout, io.TextIOWrapper):
        # A log in ASCII gets question marks for ± and arrows, and not an error.
        sys.stdout.reconfigure(errors="replace")
    show_results(args.results, Console(highlight=False))
