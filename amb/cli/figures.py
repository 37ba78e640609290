"""``amb figures``: the figures of a study, as PNG and PDF, from its results folder alone."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Draw a study's figures (PNG and PDF) from the files in its results folder."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    parser.add_argument("--results", type=Path, required=True, help="folder results/<study>")
    parser.add_argument("--out-dir", type=Path, required=True, help="folder of the figures")
    parser.add_argument("--only", nargs="+", metavar="FIGURE", help="by default all")


def run(args: argparse.Namespace) -> None:
    """Write the figures."""
    from amb.reporting.figures.draw import write_figures
    from amb.study import load_study

    write_figures(args.out_dir, args.results, load_study(args.study), args.only)
