"""``amb robustness``: what every row loses under corruptions, and against the reference."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Measure every row under the study's corruptions and test its loss against the reference's."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb robustness``."""
    parser.add_argument("--runs", type=Path, required=True, help="folder results/<study>/runs")
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--out", type=Path, required=True, help="robustness.csv to write")


def run(args: argparse.Namespace) -> None:
    """Read the study's predictions and write the robustness table, unrounded."""
    from amb.evaluation.reading import read_robustness_predictions
    from amb.files import write_text
    from amb.statistics.robustness import under_corruption
    from amb.statistics.robustness_table import robustness_table
    from amb.study import load_study

    study = load_study(args.study).compared()
    predictions = read_robustness_predictions(args.runs, study, list(study.methods))
    methods = under_corruption(predictions)
    table = robustness_table(methods, study.statistics)
    write_text(args.out, table.to_csv(index=False, na_rep="NaN"))
