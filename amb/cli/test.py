"""``amb test``: every method of a study against its reference."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Test every method against the study's reference row, over seeds and over videos."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb test``."""
    parser.add_argument("--runs", type=Path, required=True, help="folder results/<study>/runs")
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--out", type=Path, required=True, help="comparison.csv to write")


def run(args: argparse.Namespace) -> None:
    """Read the study's predictions and write the comparison table, unrounded."""
    from amb.evaluation.reading import read_study_predictions
    from amb.files import write_text
    from amb.statistics.compare import compare
    from amb.study import load_study

    study = load_study(args.study).compared()
    predictions = read_study_predictions(args.runs, study, splits=("test",))
    table = compare(predictions, study.statistics)
    write_text(args.out, table.to_csv(index=False, na_rep="NaN"))
