"""``amb train``: train one method under some seeds."""

from __future__ import annotations

import argparse
from dataclasses import replace

from amb.cli.run_arguments import add_run_arguments, build_job, raise_first

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
    from amb.training.check import check_method
    from amb.training.progress import RunProgress
    from amb.training.run import is_complete, run_seed, seeds_that_fit
    from amb.training.workers import run_packs, run_seeds

    job = replace(build_job(args), keep_minutes=args.keep_minutes)
    max_epochs = load_study(args.study).methods[args.method].training.max_epochs
    if not all(is_complete(job, seed) for seed in args.seeds):
        check_method(job)
    pack = args.pack or seeds_that_fit(job, args.seeds)
    with RunProgress(args.method, max_epochs) as progress:
        if pack > 1:
            failed = run_packs(job, args.seeds, pack, progress)
        else:
            failed = run_seeds(run_seed, job, args.seeds, args.workers, progress)
    raise_first(failed)


def _pack_size(text: str) -> int:
    size = int(text)
    if size < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1 seed")
    return size
