"""The command line ``amb``: one subcommand a workflow step, so that any step runs by hand.

A subcommand is a module here with ``HELP`` (one line), ``configure(parser)`` and ``run(args)``.
Modules import what is heavy inside ``run``: ``amb --help`` and the steps right of the predictions
must not pay for torch.
"""

from __future__ import annotations

import argparse
import importlib
import os
import select
import sys
import traceback
from collections.abc import Sequence

import amb
from amb.errors import InputError
from amb.printable import printable
from amb.termination import end_with_workflow

INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C ended
NOBODY_READS = 141  # and of one whose output nobody reads on

COMMANDS = {
    "study": "amb.cli.study",
    "presets": "amb.cli.presets",
    "new": "amb.cli.new",
    "check": "amb.cli.check",
    "data": "amb.cli.data",
    "backbone": "amb.cli.backbone",
    "tune": "amb.cli.tune",
    "train": "amb.cli.train",
    "evaluate": "amb.cli.evaluate",
    "speed": "amb.cli.speed",
    "profile": "amb.cli.profile",
    "corrupt": "amb.cli.corrupt",
    "fusion-norms": "amb.cli.fusion_norms",
    "score": "amb.cli.score",
    "test": "amb.cli.test",
    "sensitivity": "amb.cli.sensitivity",
    "tables": "amb.cli.tables",
    "costs": "amb.cli.costs",
    "efficiency": "amb.cli.efficiency",
    "ablation": "amb.cli.ablation",
    "published": "amb.cli.published",
    "trace": "amb.cli.trace",
    "figures": "amb.cli.figures",
    "claims": "amb.cli.claims",
    "controls": "amb.cli.controls",
    "metrics": "amb.cli.metrics",
    "robustness": "amb.cli.robustness",
    "robustness-report": "amb.cli.robustness_report",
    "known-answer": "amb.cli.known_answer",
    "status": "amb.cli.status",
    "page": "amb.cli.page",
    "show": "amb.cli.show",
    "compare-runs": "amb.cli.compare_runs",
    "merge": "amb.cli.merge",
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


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of ``amb`` with its subcommands.

    Args:
        only: The one subcommand whose arguments are wanted; None: those of all.

    Returns:
        The parser.
    """
    parser = argparse.ArgumentParser(prog="amb", description=amb.__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=f"amb {amb.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module_name in COMMANDS.items():
        if only is not None and name != only:
            continue
        module = importlib.import_module(module_name)
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.configure(command)
        command.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; whatever fails, the last lines say what to do.

    Args:
        arguments: Those of the command line if None.

    Returns:
        The exit status: 2 for an error in the user's input or for an extra that is not installed,
        1 for any other.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    only = given[0] if given and given[0] in COMMANDS else None
    args = build_parser(only).parse_args(given)
    end_with_workflow()
    try:
        args.run(args)
        sys.stdout.flush()
    except InputError as error:
        _tell(f"amb {args.command}: error: {error}")
        return 2
    except KeyboardInterrupt:
        print(f"amb {args.command}: interrupted; the same command goes on", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            return NOBODY_READS
        return _explain(args, error)
    return 0


def _nobody_reads() -> bool:
    """Whether who read our output has gone, as ``head`` does; what is left of it is let go."""
    output = sys.stdout.fileno()
    poll = select.poll()
    poll.register(output, 0)  # errors are told in any case
    if not poll.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return True


def _explain(args: argparse.Namespace, error: Exception) -> int:
    """Print the stack trace, and below it what happened and what to do.

    Where a package of an extra is missing, there is nothing to trace: the extra is named.
    """
    from amb.failures import failure_text, missing_extra

    extra = missing_extra(error)
    if extra is None:
        _tell("".join(traceback.format_exception(error)))
    method, seeds = getattr(args, "method", None), getattr(args, "seeds", None)
    _tell(failure_text(args.command, error, method, seeds))
    return 1 if extra is None else 2


def _tell(text: str) -> None:
    """Print to the standard error; what a file smuggled into a message moves no cursor."""
    print(printable(text), file=sys.stderr, flush=True)
