"""``amb backbone``: find, check and cut a study's pretrained language model."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "prepare a study's backbone as one checked folder"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", required=True, help="the study's YAML file")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def run(args: argparse.Namespace) -> None:
    """Prepare the backbone and say what it is."""
    from amb.model.backbone_source import prepare_backbone
    from amb.study import load_study

    card = prepare_backbone(load_study(args.study).backbone, args.out)
    print(f"backbone {card['name']}, {card['layers']} layers, from {card['origin']}")
    for name, sha256 in card["files"].items():
        print(f"{name}: SHA-256 {sha256}")
