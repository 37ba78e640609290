"""``amb sensitivity``: every method against the reference, by other means than the verdicts'."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Compare every method with the reference by bootstrap, permutation and effect sizes."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb sensitivity``."""
    parser.add_argument("--runs", type=Path, required=True, help="folder results/<study>/runs")
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--out", type=Path, required=True, help="sensitivity.csv to write")


def run(args: argparse.Namespace) -> None:
    """Read the study's predictions and write the sensitivity table, unrounded."""
    from amb.evaluation.reading import read_study_predictions
    from amb.files import write_text
    from amb.statistics.sensitivity import sensitivity
    from amb.study import load_study

    study = load_study(args.study).compared()
    predictions = read_study_predictions(args.runs, study, splits=("test",))
    table = sensitivity(predictions, study.statistics)
    write_text(args.out, table.to_csv(index=False, na_rep="NaN"))
