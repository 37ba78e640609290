"""The command line ``amb``: one subcommand a workflow step, so that any step runs by hand.

A subcommand is a module here with ``HELP`` (one line), ``configure(parser)`` and ``run(args)``.
Modules import what is heavy inside ``run``: ``amb --help`` and the steps right of the predictions
must not pay for torch.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

import amb
from amb.errors import InputError

COMMANDS = {
    "study": "amb.cli.study",
    "presets": "amb.cli.presets",
    "check": "amb.cli.check",
    "data": "amb.cli.data",
    "backbone": "amb.cli.backbone",
    "tune": "amb.cli.tune",
    "train": "amb.cli.train",
    "evaluate": "amb.cli.evaluate",
    "speed": "amb.cli.speed",
    "profile": "amb.cli.profile",
    "corrupt": "amb.cli.corrupt",
    "score": "amb.cli.score",
    "test": "amb.cli.test",
    "sensitivity": "amb.cli.sensitivity",
    "tables": "amb.cli.tables",
    "figures": "amb.cli.figures",
    "claims": "amb.cli.claims",
    "controls": "amb.cli.controls",
    "metrics": "amb.cli.metrics",
    "robustness": "amb.cli.robustness",
    "robustness-report": "amb.cli.robustness_report",
    "known-answer": "amb.cli.known_answer",
    "show": "amb.cli.show",
    "compare-runs": "amb.cli.compare_runs",
    "verify": "amb.cli.verify",
    "reference": "amb.cli.reference",
    "bundle": "amb.cli.bundle",
    "export": "amb.cli.export",
    "predict": "amb.cli.predict",
    "parameters": "amb.cli.parameters",
    "expected-maximum": "amb.cli.expected_maximum",
    "peek": "amb.cli.peek",
    "power": "amb.cli.power",
    "calibrate": "amb.cli.calibrate",
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of ``amb`` with all its subcommands."""
    parser = argparse.ArgumentParser(prog="amb", description=amb.__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=f"amb {amb.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module_name in COMMANDS.items():
        module = importlib.import_module(module_name)
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.configure(command)
        command.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; an error in the user's input is printed without a stack trace."""
    args = build_parser().parse_args(arguments)
    try:
        args.run(args)
    except InputError as error:
        print(f"amb {args.command}: error: {error}", file=sys.stderr)
        return 2
    return 0
