"""``amb metrics``: the field's definitions of its metrics, and how ranks move between them."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

HELP = "List the field's variants of its metrics; rank a study's rows under each of them."
NARROWEST = 120  # columns that the widest table needs, also where there is no terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare ``list`` and ``rank-by-variant``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="print variants, versions, sources and definitions")
    rank = actions.add_parser("rank-by-variant", help="how ranks move with the definition")
    rank.add_argument("--runs", type=Path, required=True, help="folder results/<study>/runs")
    rank.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    rank.add_argument("--split", default="test", help="train, valid or test (default test)")
    rank.add_argument("--out", type=Path, help="folder to write metric_variants.* to")


def run(args: argparse.Namespace) -> None:
    """Run one of the actions."""
    _ACTIONS[args.action](args)


def _list(_: argparse.Namespace) -> None:
    from amb.reporting.tables.metric_variants import list_text

    _never_fail_on_ascii()
    print(list_text(), end="")


def _rank(args: argparse.Namespace) -> None:
    from rich.console import Console

    from amb.evaluation.method_runs import runs_by_method
    from amb.evaluation.reading import read_study_predictions
    from amb.reporting.tables.metric_variants import write_metric_variants
    from amb.reporting.terminal import show_metric_variants
    from amb.statistics.metric_ranks import rank_by_variant
    from amb.study import load_study

    study = load_study(args.study).compared()
    runs = runs_by_method(read_study_predictions(args.runs, study), args.split)
    found = rank_by_variant(runs, {name: row.label for name, row in study.methods.items()})
    if args.out is not None:
        write_metric_variants(args.out, found, args.split)
    _never_fail_on_ascii()
    console = Console(highlight=False)
    console.width = max(console.width, NARROWEST)
    show_metric_variants(found, args.split, console)


def _never_fail_on_ascii() -> None:
    """A log in ASCII gets question marks for ≥ and ±, and not an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


_ACTIONS = {"list": _list, "rank-by-variant": _rank}
