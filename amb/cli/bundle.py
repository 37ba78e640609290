"""``amb bundle``: a finished study packed for publication."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Pack a finished study for publication, as a Workflow Run RO-Crate with a self-audit."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("results", type=Path, help="results folder of a finished study")
    parser.add_argument("--out", type=Path, help="zip file (default: bundle.zip in the folder)")
    parser.add_argument(
        "--texts", action="store_true", help="let the page quote the utterances of real data"
    )
    parser.add_argument("--date", default="", help="of publication (default: last evaluation)")


def run(args: argparse.Namespace) -> None:
    """Pack, and say what is in it."""
    from amb.cli.verify import run_quietly
    from amb.publishing.bundle import write_bundle
    from amb.verification.display import summary_lines

    out = args.out or args.results / "bundle.zip"
    packed = write_bundle(args.results, out, run_quietly, args.texts, args.date)
    for line in summary_lines(packed.verification):
        print(line)
    if not packed.quotes_texts:
        print("The page does not quote the utterances of the data; with --texts it does.")
    print(f"{out}: {packed.files} files, {out.stat().st_size / 1e6:.2f} MB")
