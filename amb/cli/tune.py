"""``amb tune``: search a row's recipe on the validation split, with the study's budget."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from amb.cli.run_arguments import add_input_arguments, build_job

if TYPE_CHECKING:
    from amb.training.job import Epoch

HELP = "search the recipe of one row on the validation split; a killed search goes on"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_input_arguments(parser)
    parser.add_argument("--method", required=True, help="row of the study")
    parser.add_argument(
        "--trials", type=_positive, help="finished trials in the end (default: as the study says)"
    )
    parser.add_argument("--storage", type=Path, required=True, help="SQLite file of the trials")
    parser.add_argument(
        "--out", type=Path, required=True, help="JSON file to write; beside it the tuned study"
    )
    parser.add_argument("--gpus", type=int, default=1, help="0: stay on the CPU (default 1)")


def run(args: argparse.Namespace) -> None:
    """Search, and write what was found."""
    from amb.study import load_study
    from amb.tuning.result import best_trial, describe_search, write_result
    from amb.tuning.search import search, search_identity

    args.runs = args.storage.parent / "trials"
    job = build_job(args)
    study = load_study(args.study)
    trials = args.trials or (study.tuning.trials if study.tuning else 0)

    def report(trial: int, epoch: Epoch) -> None:
        line = f"epoch {epoch.epoch}, validation MAE {epoch.valid_mae:.4f}"
        print(f"{args.method} trial {trial}: {line}", file=sys.stderr, flush=True)

    found = search(job, trials, args.storage, report)
    described = describe_search(study, args.method, search_identity(job), found)
    write_result(args.out, args.study, args.method, described, found)
    best = best_trial(found)
    print(
        f"{args.method}: best of {len(found)} trials is trial {best.number},"
        f" validation MAE {best.outcome.valid_mae:.4f}: {best.values}"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not a number of at least 1")
    return number
