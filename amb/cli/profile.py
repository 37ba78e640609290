"""``amb profile``: where the time of a training step goes."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

HELP = "watch training steps of one row: phases, parts of the model, modules"
NARROWEST = 100  # columns that the tables need, also where there is no terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("study", type=Path, metavar="STUDY", help="the study's YAML file")
    parser.add_argument("method", metavar="METHOD", help="row of the study")
    made = "(default: the one in results/<study>)"
    parser.add_argument("--store", type=Path, help=f"the store's folder {made}")
    parser.add_argument("--backbone", type=Path, help=f"the prepared backbone {made}")
    parser.add_argument("--seed", type=int, help="seed of the run (default: the row's first)")
    parser.add_argument("--steps", type=int, default=20, help="steps to measure (default 20)")
    parser.add_argument("--warmup", type=int, default=5, help="steps before them (default 5)")
    parser.add_argument("--threads", type=int, default=1, help="threads on a CPU (default 1)")
    parser.add_argument("--gpus", type=int, default=1, help="0: stay on the CPU (default 1)")
    parser.add_argument("--output", type=Path, help="JSON file to write")
    parser.add_argument("--trace", type=Path, help="trace to write, .json or .json.gz")


def run(args: argparse.Namespace) -> None:
    """Profile, print and write.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: The study has no such row, a number is too small, or a folder is missing.
    """
    from rich.console import Console

    from amb.cli.run_arguments import lease_device
    from amb.errors import InputError
    from amb.files import write_json
    from amb.profiling.profile import profile_row
    from amb.reporting.tables.step_profile import show_profile
    from amb.study import load_study
    from amb.training.job import Job

    study = load_study(args.study)
    if args.method not in study.methods:
        raise InputError(args.study, "methods", args.method, f"one of {', '.join(study.methods)}")
    for name, least in (("steps", 1), ("warmup", 0), ("threads", 1)):
        if getattr(args, name) < least:
            raise InputError("command line", f"--{name}", getattr(args, name), f"at least {least}")
    store, backbone = (_prepared(args, name, study.name) for name in ("store", "backbone"))
    device = lease_device(args.gpus)
    runs = Path("results") / study.name / "runs"  # nothing is written there
    job = Job(args.study, store, backbone, args.method, runs, device, args.threads)
    seed = study.methods[args.method].seeds[0] if args.seed is None else args.seed
    profile = profile_row(job, seed, args.steps, args.warmup, args.trace)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a log in ASCII gets question marks
    console = Console(highlight=False)
    console.width = max(console.width, NARROWEST)
    show_profile(profile, console)
    if args.output is not None:
        write_json(args.output, profile)


def _prepared(args: argparse.Namespace, name: str, study: str) -> Path:
    """Return the folder of the store or the backbone that an option names, else the study's."""
    from amb.errors import InputError

    folder: Path = getattr(args, name) or Path("results") / study / name
    if not (folder / "card.json").is_file():
        raise InputError(folder, name, "nothing", f"the study's {name}, or another by --{name}")
    return folder
