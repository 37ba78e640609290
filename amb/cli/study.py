"""``amb study``: a study as it is resolved."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "check a study against its schema and write it with all defaults filled in"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--out", type=Path, help="JSON file to write; printed when left out")
    parser.add_argument(
        "--config", type=Path, help="folder for copies of the study, its claims and what they quote"
    )


def run(args: argparse.Namespace) -> None:
    """Resolve the study and, if asked, copy what judges it beside its results."""
    import json

    from amb.resolved_study import copy_config, write_resolved_study
    from amb.study import digest, load_study

    study = load_study(args.study)
    if args.config:
        copy_config(study, args.config)
    if args.out:
        write_resolved_study(study, args.out)
    else:
        resolved = study.resolved()
        shown = {**resolved, "sha256": digest(resolved)}
        print(json.dumps(shown, indent=2, ensure_ascii=False))
