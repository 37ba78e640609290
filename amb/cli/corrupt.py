"""``amb corrupt``: predictions of frozen checkpoints on the corrupted test split."""

from __future__ import annotations

import argparse

from amb.cli.run_arguments import add_run_arguments, build_job, raise_first
from amb.errors import InputError

TASK = "amb.evaluation.corrupt:corrupt_seed"
HELP = "predict the test split at every point of the study's grid of corruptions"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Predict; every seed is tried before the first failure is raised.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: The row is a control, whose answer is known for clean inputs only.
    """
    from amb.study import load_study
    from amb.training.progress import RunProgress
    from amb.training.workers import run_seeds

    job = build_job(args)
    compared = load_study(args.study).compared().methods
    if args.method not in compared:
        raise InputError(args.study, "--method", args.method, f"one of {', '.join(compared)}")
    with RunProgress(args.method, max_epochs=None) as progress:
        failed = run_seeds(TASK, job, args.seeds, args.workers, progress)
    raise_first(failed)
