"""``amb evaluate``: predictions of frozen checkpoints, with their labels."""

from __future__ import annotations

import argparse
import sys

from amb.cli.run_arguments import add_run_arguments, build_job

HELP = "predict every split once from each seed's checkpoint; the only step that reads test labels"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Evaluate the seeds one after another."""
    from amb.evaluation.predict import evaluate_seed

    job = build_job(args)
    for seed in args.seeds:
        count = evaluate_seed(job, seed)
        print(f"{args.method} seed {seed}: {count} predictions", file=sys.stderr)
