"""``amb train``: train one method under some seeds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from amb.cli.run_arguments import add_run_arguments, build_job, raise_first

if TYPE_CHECKING:
    from amb.training.job import Job
    from amb.training.progress import RunProgress

TASK = "amb.training.run:run_seed"
TRIAL = "amb.training.check:check_unless_complete"
HELP = "train one method under the given seeds; runs that are complete are left alone"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run_arguments(parser)
    parser.add_argument(
        "--pack",
        type=_pack_size,
        default=None,
        metavar="K",
        help="seeds trained as one model (default: on a GPU as many as its memory holds, on a CPU"
        " one, in a process of its own)",
    )
    parser.add_argument(
        "--keep-minutes",
        type=float,
        default=10.0,
        metavar="M",
        help="minutes between two savings of what an interrupted run goes on from (default 10)",
    )


def run(args: argparse.Namespace) -> None:
    """Try the method on one batch, then train; every seed runs before a failure is raised."""
    from amb.study import load_study
    from amb.training.progress import RunProgress
    from amb.training.workers import run_seeds

    job = replace(build_job(args), keep_minutes=args.keep_minutes)
    max_epochs = load_study(args.study).methods[args.method].training.max_epochs
    with RunProgress(args.method, max_epochs) as progress:
        if job.device == "cpu" and args.pack in (None, 1):
            failed = run_seeds(TASK, job, args.seeds, args.workers, progress, before=TRIAL)
        else:
            failed = _train_packs(job, args.seeds, args.pack, progress)
    raise_first(failed)


def _train_packs(
    job: Job, seeds: Sequence[int], size: int | None, progress: RunProgress
) -> dict[int, BaseException]:
    """Train in this process, so many seeds as one model; None: as many as memory holds."""
    from amb.training.check import check_unless_complete
    from amb.training.packs import run_packs, seeds_that_fit

    check_unless_complete(job, seeds)
    return run_packs(job, seeds, size or seeds_that_fit(job, seeds), progress)


def _pack_size(text: str) -> int:
    size = int(text)
    if size < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1 seed")
    return size
