"""``amb evaluate``: predictions of frozen checkpoints, with their labels."""

from __future__ import annotations

import argparse

from amb.cli.run_arguments import add_run_arguments, build_job, raise_first

TASK = "amb.evaluation.predict:evaluate_seed"
HELP = "predict every split from each seed's checkpoint; no other step of a study reads test labels"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Note what is claimed, then evaluate; all seeds are tried before a failure is raised."""
    from amb.registration import record_evaluation
    from amb.study import load_study
    from amb.training.progress import RunProgress
    from amb.training.workers import run_seeds

    job = build_job(args)
    claims_file = load_study(args.study).claims_file()
    for seed in args.seeds:
        record_evaluation(job.folder(seed), claims_file)
    with RunProgress(args.method, max_epochs=None) as progress:
        failed = run_seeds(TASK, job, args.seeds, args.workers, progress)
    raise_first(failed)
