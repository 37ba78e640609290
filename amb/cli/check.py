"""``amb check``: build every method of a study and try it, before hours are spent."""

from __future__ import annotations

import argparse
from pathlib import Path

from amb.cli.run_arguments import add_input_arguments

HELP = "build every method of a study, run one batch forwards and backwards, count parameters"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_input_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def run(args: argparse.Namespace) -> None:
    """Check every row and the grid of corruptions; write parameter counts and what rows read."""
    from amb.evaluation.corruption.grid import require_targets
    from amb.evaluation.corruption.points import grid_points
    from amb.files import write_json
    from amb.study import load_study
    from amb.training.check import check_method, describe_texts
    from amb.training.job import Job
    from amb.training.run import open_context

    checked = {}
    study = load_study(args.study)
    for name in study.methods:
        job = Job(args.study, args.store, args.backbone, name, args.out.parent, "cpu")
        own = checked[name] = check_method(job)
        reads = ", ".join(own["reads"]) or "nothing"
        print(f"{name}: {own['trainable']:,} of {own['total']:,} parameters train; reads {reads}")
    print(describe_texts(job))
    if study.corruption:
        require_targets(grid_points(study.corruption), open_context(job))
    write_json(args.out, checked)
