"""``amb costs``: what every run cost, and the efficiency table."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Collect parameters, time and memory of every run, and write the efficiency table."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    parser.add_argument("--runs", type=Path, help="folder of the runs, to collect from")
    parser.add_argument("--costs", type=Path, required=True, help="costs.csv; written from --runs")
    parser.add_argument("--out-dir", type=Path, required=True, help="folder of the tables")


def run(args: argparse.Namespace) -> None:
    """Write ``costs.csv`` where runs are given, and the table from it."""
    from amb.files import write_text
    from amb.reporting.efficiency import COSTS, write_efficiency
    from amb.reporting.inputs import read_table
    from amb.statistics.costs import read_costs
    from amb.study import load_study

    study = load_study(args.study).compared()
    if args.runs is not None:
        write_text(args.costs, read_costs(args.runs, study).to_csv(index=False, na_rep="NaN"))
    labels = {name: row.label for name, row in study.methods.items()}
    write_efficiency(args.out_dir, read_table(args.costs, COSTS), labels)
