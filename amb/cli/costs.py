"""``amb costs``: what every run of a study cost, measured once and kept."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Collect parameters, time and memory of every run into one CSV file."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--out", type=Path, required=True, help="the CSV file to write")


def run(args: argparse.Namespace) -> None:
    """Write the file."""
    from amb.files import write_text
    from amb.statistics.costs import read_costs
    from amb.study import load_study

    costs = read_costs(args.runs, load_study(args.study).compared())
    write_text(args.out, costs.to_csv(index=False, na_rep="NaN"))
