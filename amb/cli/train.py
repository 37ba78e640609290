"""``amb train``: train one method under some seeds."""

from __future__ import annotations

import argparse

from amb.cli.run_arguments import add_run_arguments, build_job

HELP = "train one method under the given seeds; runs that are complete are left alone"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run_arguments(parser)
    parser.add_argument("--workers", type=int, default=1, help="processes on a CPU (default 1)")


def run(args: argparse.Namespace) -> None:
    """Train; every seed is tried before the first failure is raised."""
    from amb.study import load_study
    from amb.training.progress import RunProgress
    from amb.training.workers import run_seeds

    job = build_job(args)
    max_epochs = load_study(args.study).methods[args.method].training.max_epochs
    with RunProgress(args.method, max_epochs) as progress:
        failed = run_seeds(job, args.seeds, args.workers, progress)
    if failed:
        first = failed[min(failed)]
        first.add_note(f"failed seeds: {', '.join(map(str, sorted(failed)))}")
        raise first
