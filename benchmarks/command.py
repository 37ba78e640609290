"""What the benchmarks of training have in common on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.readme import replace_section

HELP = {
    "rounds": "blocks of each",
    "steps": "steps in a block",
    "warmup": "steps before the first block",
}


def training_parser(about: str, space: str, **numbers: int) -> argparse.ArgumentParser:
    """Return a parser with the arguments that all of them take.

    Args:
        about: The module's docstring, whose first line says what is measured.
        space: What ``--folder`` is for.
        **numbers: Whole numbers that can be chosen (see ``HELP``), with their defaults.

    Returns:
        The parser.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help=f"for {space}")
    for name, default in numbers.items():
        text = f"{HELP[name]} (default {default})"
        parser.add_argument(f"--{name}", type=int, default=default, help=text)
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md alone")
    return parser


def add_size_arguments(parser: argparse.ArgumentParser) -> None:
    """Let backbone and device be chosen."""
    parser.add_argument("--backbone", default="minilm", help="name or folder (default minilm)")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))


def publish(args: argparse.Namespace, section: str, text: str) -> None:
    """Print a table and put it into ``benchmarks/README.md``, unless that is to be left alone."""
    print(text)
    if not args.no_readme:
        replace_section(section, text)
