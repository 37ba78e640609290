"""``amb expected-maximum``: what a search of so many trials is expected to find, as a figure."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Draw the expected validation MAE of the best of n trials (PNG and PDF)."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    parser.add_argument("--tuned", type=Path, required=True, help="folder of the searches")
    parser.add_argument("--out-dir", type=Path, required=True, help="folder of the figures")


def run(args: argparse.Namespace) -> None:
    """Write the figure.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: The study's trials are not independent draws, or it does not tune.
    """
    from amb.errors import InputError
    from amb.reporting.figures.expected_maximum import expected_maximum_figure
    from amb.reporting.figures.style import save_figure
    from amb.reporting.tables.tuned import read_searches
    from amb.study import load_study

    study = load_study(args.study)
    sampler = study.tuning.sampler if study.tuning else "no tuning"
    if sampler != "random":
        allowed = "random: the expected maximum is of independent trials"
        raise InputError(args.study, "tuning.sampler", sampler, allowed)
    labels = {name: study.methods[name].label for name in study.tuned_rows()}
    figure = expected_maximum_figure(read_searches(args.tuned, list(labels)), labels)
    for suffix in (".png", ".pdf"):
        save_figure(figure, args.out_dir / f"expected_maximum{suffix}")
