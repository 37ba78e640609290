"""``amb score``: the metrics of every run, and their summary over seeds."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Compute all metrics of all runs from stored predictions, and summarise them over seeds."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb score``."""
    parser.add_argument("--runs", type=Path, required=True, help="folder results/<study>/runs")
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--out-scores", type=Path, required=True, help="scores.csv to write")
    parser.add_argument("--out-summary", type=Path, required=True, help="summary.csv to write")


def run(args: argparse.Namespace) -> None:
    """Read the study's predictions and write both tables, unrounded."""
    from amb.evaluation.method_runs import runs_by_method
    from amb.evaluation.reading import read_study_predictions
    from amb.files import write_text
    from amb.statistics.scores import score, summarise
    from amb.study import load_study

    study = load_study(args.study)
    predictions = read_study_predictions(args.runs, study)
    scores = score(predictions)
    n_videos = len(set(next(iter(runs_by_method(predictions).values())).videos))
    summary = summarise(scores, n_videos, study.statistics.alpha)
    write_text(args.out_scores, scores.to_csv(index=False, na_rep="NaN"))
    write_text(args.out_summary, summary.to_csv(index=False, na_rep="NaN"))
