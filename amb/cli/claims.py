"""``amb claims``: a verdict on every registered claim."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Judge every registered claim from stored predictions and run records."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb claims``."""
    parser.add_argument("--runs", type=Path, required=True, help="folder results/<study>/runs")
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--claims", type=Path, required=True, help="the claims file (YAML)")
    parser.add_argument("--out-json", type=Path, required=True, help="claims.json to write")


def run(args: argparse.Namespace) -> None:
    """Read claims, predictions and parameter counts, and write the verdicts."""
    from amb.evaluation.predictions import read_study_predictions
    from amb.files import write_json
    from amb.statistics.claims import load_claims
    from amb.statistics.judge import judge
    from amb.statistics.parameters import read_parameter_counts
    from amb.study import load_study

    claims = load_claims(args.claims)
    study = load_study(args.study)
    predictions = read_study_predictions(args.runs, study, splits=("valid", "test"))
    counts = read_parameter_counts(args.runs, study)
    labels = {name: row.label for name, row in study.methods.items()}
    write_json(args.out_json, judge(claims, predictions, counts, labels))
