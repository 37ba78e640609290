"""``amb peek``: how much choosing the epoch on the test set would flatter a method."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from amb.cli.run_arguments import add_run_arguments, build_job, raise_first

TASK = "amb.peeking.retrain:peek_seed"
HELP = "measure what choosing the epoch on the test set adds to a method's metrics; no result"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run_arguments(parser)
    parser.add_argument(
        "--recipe", type=Path, help="study file that the row trains with (default: the study)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="JSON file to write; beside it a page (.md)"
    )


def run(args: argparse.Namespace) -> None:
    """Retrain every seed with its test metrics by epoch; write and print what peeking adds."""
    from amb.files import read_json, write_json, write_text
    from amb.peeking.inflation import measure_inflation
    from amb.peeking.report import describe_inflation, inflation_page
    from amb.peeking.retrain import EPOCHS
    from amb.study import load_study
    from amb.training.progress import RunProgress
    from amb.training.workers import run_seeds

    job = build_job(args)
    if args.recipe is not None:
        job = replace(job, study_file=args.recipe)
    study = load_study(args.study)
    row, statistics = study.methods[args.method], study.statistics
    with RunProgress(args.method, row.training.max_epochs) as progress:
        raise_first(run_seeds(TASK, job, args.seeds, args.workers, progress))
    runs = [read_json(job.folder(seed) / EPOCHS) for seed in args.seeds]
    found = [measure_inflation(runs, name, statistics.alpha) for name in statistics.metrics]
    page = inflation_page(row.label, len(runs), statistics.alpha, found)
    write_json(args.out, describe_inflation(args.method, args.seeds, found))
    write_text(args.out.with_suffix(".md"), page)
    print(page)
