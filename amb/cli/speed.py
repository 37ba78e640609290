"""``amb speed``: time the training steps of two rows against each other."""

from __future__ import annotations

import argparse
from pathlib import Path

from amb.cli.run_arguments import add_input_arguments

HELP = "time training steps of two rows in interleaved blocks, for a claim of kind speed"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_input_arguments(parser)
    parser.add_argument("--a", required=True, help="row that the claim is about")
    parser.add_argument("--b", required=True, help="row that it is compared with")
    parser.add_argument("--blocks", type=int, default=12, help="pairs of blocks (default 12)")
    parser.add_argument("--steps", type=int, default=10, help="steps in a block (default 10)")
    parser.add_argument("--warmup", type=int, default=10, help="steps before timing (default 10)")
    parser.add_argument("--threads", type=int, default=1, help="threads on a CPU (default 1)")
    parser.add_argument("--gpus", type=int, default=1, help="0: stay on the CPU (default 1)")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def run(args: argparse.Namespace) -> None:
    """Time both rows and write every block.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: A number is not positive, the study has no such row, or a row takes no steps.
    """
    from amb.cli.run_arguments import lease_device
    from amb.errors import InputError
    from amb.files import write_json
    from amb.study import load_study
    from amb.timing.compare import compare_steps
    from amb.training.job import Job

    for name in ("blocks", "steps", "warmup", "threads"):
        if getattr(args, name) < 1:
            raise InputError("command line", f"--{name}", getattr(args, name), "at least 1")
    methods = load_study(args.study).methods
    for row in (args.a, args.b):
        if row not in methods:
            raise InputError(args.study, "methods", row, f"one of {', '.join(methods)}")
    device = lease_device(args.gpus)
    a, b = (
        Job(args.study, args.store, args.backbone, row, args.out.parent, device, args.threads)
        for row in (args.a, args.b)
    )
    seed = methods[args.a].seeds[0]
    timed = compare_steps(a, b, seed, args.blocks, args.steps, args.warmup)
    write_json(args.out, timed)
    print(f"{args.blocks} pairs of blocks on {timed['hardware']['name']}")
