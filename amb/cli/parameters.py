"""``amb parameters``: how many parameters every row has and trains, from config alone."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Print how many parameters every preset has and trains, from config alone."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb parameters``."""
    parser.add_argument(
        "--out", type=Path, help="Markdown file to write as well (here: docs/parameters.md)"
    )


def run(args: argparse.Namespace) -> None:
    """Measure all rows at all sizes of BERT, print the page and, if asked, write it."""
    from amb.files import write_text
    from amb.presets import load_presets
    from amb.reporting.tables.sizes import markdown_sizes
    from amb.sizes.rows import measure, presets_to_measure
    from amb.sizes.settings import BACKBONES

    presets = presets_to_measure(load_presets())
    page = markdown_sizes([measure(size, presets) for size in BACKBONES])
    if args.out is not None:
        write_text(args.out, page)
    print(page, end="")
