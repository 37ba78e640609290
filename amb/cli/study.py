"""``amb study``: a study as it is resolved."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "check a study against its schema and write it with all defaults filled in"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--out", type=Path, help="JSON file to write; printed when left out")


def run(args: argparse.Namespace) -> None:
    """Resolve the study."""
    import json

    from amb.files import write_json
    from amb.study import digest, load_study

    resolved = load_study(args.study).resolved()
    resolved["sha256"] = digest(resolved)
    if args.out:
        write_json(args.out, resolved)
    else:
        print(json.dumps(resolved, indent=2, ensure_ascii=False))
