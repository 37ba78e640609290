"""``amb page``: a study's results as one self-contained HTML page."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Write a study's page: verdicts, tables, figures, every prediction, in one HTML file."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--study", type=Path, help="the study (YAML); by default study.json of the results folder"
    )
    parser.add_argument("--results", type=Path, required=True, help="folder results/<study>")
    parser.add_argument("--out", type=Path, required=True, help="the page (HTML) to write")


def run(args: argparse.Namespace) -> None:
    """Write the page and print its size."""
    from amb.reporting.study_page.document import write_page
    from amb.reporting.study_page.folder import open_folder

    write_page(args.out, open_folder(args.results, args.study))
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB")
