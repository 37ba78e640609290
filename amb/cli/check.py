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
    """Check every row of the study and write its parameter counts and what it reads."""
    from amb.files import write_json
    from amb.study import load_study
    from amb.training.check import check_method, describe_texts
    from amb.training.run import Job

    checked = {}
    for name in load_study(args.study).methods:
        job = Job(args.study, args.store, args.backbone, name, args.out.parent, "cpu")
        own = checked[name] = check_method(job)
        reads = ", ".join(own["reads"]) or "nothing"
        print(f"{name}: {own['trainable']:,} of {own['total']:,} parameters train; reads {reads}")
    print(describe_texts(job))
    write_json(args.out, checked)
