"""``amb train``: train one method under some seeds."""

from __future__ import annotations

import argparse

from amb.cli.run_arguments import add_run_arguments, build_job, raise_first

HELP = "train one method under the given seeds; runs that are complete are left alone"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Train; every seed is tried before the first failure is raised."""
    from amb.study import load_study
    from amb.training.progress import RunProgress
    from amb.training.run import run_seed
    from amb.training.workers import run_seeds

    job = build_job(args)
    max_epochs = load_study(args.study).methods[args.method].training.max_epochs
    with RunProgress(args.method, max_epochs) as progress:
        failed = run_seeds(run_seed, job, args.seeds, args.workers, progress)
    raise_first(failed)
