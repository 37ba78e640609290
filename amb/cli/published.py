"""``amb published``: numbers that others published, set apart from the study's own rows."""

from __future__ import annotations

import argparse
from pathlib import Path

from amb.errors import InputError

HELP = "Write the table of published numbers on the study's data set: quoted, not run."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    parser.add_argument("--comparison", type=Path, required=True, help="tables/comparison.csv")
    parser.add_argument("--published", type=Path, required=True, help="published numbers (CSV)")
    parser.add_argument("--out-dir", type=Path, required=True, help="folder of the tables")


def run(args: argparse.Namespace) -> None:
    """Write the table.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: Nobody is quoted on the study's data set, or an input is missing or malformed.
    """
    from amb.reporting.tables.comparison import read_comparison
    from amb.reporting.tables.published import quoted_numbers, write_published
    from amb.statistics.published import read_published
    from amb.study import load_study

    study = load_study(args.study).compared()
    numbers = quoted_numbers(study, read_published(args.published))
    if not numbers:
        raise InputError(
            args.published, "dataset", "no row", f"rows on {study.dataset()}, the study's data set"
        )
    write_published(args.out_dir, study, read_comparison(args.comparison), numbers)
