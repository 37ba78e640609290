"""``amb tables``: comparison and ties in four formats; the tested claims as text and page."""

from __future__ import annotations

import argparse
from pathlib import Path

from amb.errors import InputError

HELP = "Write comparison and ties (CSV, Markdown, HTML, LaTeX) and, if asked, the tested claims."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    parser.add_argument("--summary", type=Path, required=True, help="means over seeds (CSV)")
    parser.add_argument("--comparison", type=Path, required=True, help="tests (CSV)")
    parser.add_argument("--pairs", type=Path, required=True, help="tests of all pairs (CSV)")
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--out-dir", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--tuned", type=Path, help="folder of the searches, where rows are tuned")
    parser.add_argument("--claims", type=Path, help="the tested claims (JSON)")
    parser.add_argument(
        "--out-claims",
        type=Path,
        help="the claims as Markdown; beside it .html and .tex",
    )


def run(args: argparse.Namespace) -> None:
    """Write the tables.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: An input is missing, malformed, or belongs to another study.
    """
    if (args.claims is None) != (args.out_claims is None):
        raise InputError("command line", "--claims", args.claims, "also --out-claims, or neither")

    from amb.reporting import claims
    from amb.reporting.inputs import COMPARISON, PAIRS, SUMMARY, read_object, read_table
    from amb.reporting.tables import comparison, ties
    from amb.reporting.tables.tuned import read_searches
    from amb.statistics.parameters import read_parameter_counts
    from amb.study import load_study

    study = load_study(args.study).compared()
    trials = None
    if args.tuned is not None:
        searches = read_searches(args.tuned, list(study.methods))
        trials = {name: len(search) for name, search in searches.items()}
    table = comparison.tidy_comparison(
        read_table(args.summary, SUMMARY),
        read_table(args.comparison, COMPARISON),
        read_table(args.pairs, PAIRS),
        read_parameter_counts(args.runs, study),
        {name: method.label for name, method in study.methods.items()},
        study.statistics,
        trials,
    )
    comparison.write_comparison(args.out_dir, table)
    ties.write_ties(args.out_dir, table)
    if args.claims is not None:
        tested = read_object(args.claims, "claims", list, "the file that amb claims writes")
        claims.write_claims(args.out_claims, tested)
