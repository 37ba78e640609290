"""``amb test``: every method of a study against its reference, and every pair of methods."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Test every method against the study's reference, and every pair, over seeds and videos."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb test``."""
    parser.add_argument("--runs", type=Path, required=True, help="folder results/<study>/runs")
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--out", type=Path, required=True, help="comparison.csv to write")
    parser.add_argument("--out-pairs", type=Path, help="pairs.csv to write: tests of all pairs")


def run(args: argparse.Namespace) -> None:
    """Read the study's predictions and write the tests, unrounded.

    Both tables come from one reading: it takes longer than the tests.
    """
    from amb.evaluation.reading import read_study_predictions
    from amb.files import write_text
    from amb.statistics.compare import compare_moments, moments_by_method
    from amb.statistics.pairs import all_pairs
    from amb.study import load_study

    study = load_study(args.study).compared()
    moments = moments_by_method(read_study_predictions(args.runs, study, splits=("test",)))
    table = compare_moments(moments, study.statistics)
    write_text(args.out, table.to_csv(index=False, na_rep="NaN"))
    if args.out_pairs is not None:
        pairs = all_pairs(moments, study.statistics)
        write_text(args.out_pairs, pairs.to_csv(index=False, na_rep="NaN"))
