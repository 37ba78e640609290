"""``amb efficiency``: the table of parameters, time and memory."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Write the table of parameters, time and memory, with the hardware."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    parser.add_argument("--costs", type=Path, required=True, help="what amb costs wrote (CSV)")
    parser.add_argument("--out-dir", type=Path, required=True, help="folder of the tables")


def run(args: argparse.Namespace) -> None:
    """Write the table."""
    from amb.reporting.inputs import read_table
    from amb.reporting.tables.efficiency import COSTS, write_efficiency
    from amb.study import load_study

    methods = load_study(args.study).compared().methods
    labels = {name: row.label for name, row in methods.items()}
    write_efficiency(args.out_dir, read_table(args.costs, COSTS), labels)
