"""``amb export``: a run's model as a folder that can be handed on."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "save a run's model, without its backbone, as a folder that AmbForSentiment loads"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--store", type=Path, help="its store (default: the study's own)")
    parser.add_argument("--backbone", help="folder or name (default: the study's own)")


def run(args: argparse.Namespace) -> None:
    """Export and say how large the weights are."""
    from amb import AmbForSentiment
    from amb.inference.config import WEIGHTS

    AmbForSentiment.from_run(args.folder, args.backbone, args.store).save_pretrained(args.out)
    megabytes = (args.out / WEIGHTS).stat().st_size / 1e6
    print(f"{args.out}: {megabytes:.1f} MB of learned weights")
