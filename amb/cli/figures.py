"""``amb figures``: the comparison and the training curves, as PNG and PDF."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Draw the comparison and the training curves (PNG and PDF)."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    parser.add_argument("--scores", type=Path, required=True, help="every seed's metrics (CSV)")
    parser.add_argument("--summary", type=Path, required=True, help="means over seeds (CSV)")
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--out-dir", type=Path, required=True, help="folder of the figures")


def run(args: argparse.Namespace) -> None:
    """Write the figures."""
    from amb.reporting.curves import read_curves
    from amb.reporting.figures import write_figures
    from amb.reporting.inputs import SCORES, SUMMARY, read_table
    from amb.study import load_study

    study = load_study(args.study).compared()
    seeds = {name: method.seeds for name, method in study.methods.items()}
    write_figures(
        args.out_dir,
        study,
        read_table(args.scores, SCORES),
        read_table(args.summary, SUMMARY),
        read_curves(args.runs, seeds),
    )
