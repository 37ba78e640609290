"""``amb fusion-norms``: how much each fusion layer of frozen checkpoints adds, layer by layer."""

from __future__ import annotations

import argparse

from amb.cli.run_arguments import add_run_arguments, build_job, raise_first

TASK = "amb.evaluation.fusion_norms:measure_seed"
HELP = "measure what the fusion layers of each seed's checkpoint add, on the validation split"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Measure; every seed is tried before the first failure is raised."""
    from amb.training.progress import RunProgress
    from amb.training.workers import run_seeds

    job = build_job(args)
    with RunProgress(args.method, max_epochs=None) as progress:
        failed = run_seeds(TASK, job, args.seeds, args.workers, progress)
    raise_first(failed)
