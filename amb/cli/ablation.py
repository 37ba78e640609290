"""``amb ablation``: the table of T2 or of T3, of the rows that a study has for it."""

from __future__ import annotations

import argparse
from pathlib import Path

from amb.errors import InputError

HELP = "Write the table of the ablation (T2), or of where and how fusion acts (T3)."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    parser.add_argument("--comparison", type=Path, required=True, help="tables/comparison.csv")
    parser.add_argument("--pairs", type=Path, required=True, help="tests of all pairs (CSV)")
    parser.add_argument("--costs", type=Path, required=True, help="costs of every run (CSV)")
    parser.add_argument(
        "--table", required=True, choices=("ablation", "fusion"), help="T2: ablation; T3: fusion"
    )
    parser.add_argument("--out-dir", type=Path, required=True, help="folder of the tables")


def run(args: argparse.Namespace) -> None:
    """Write the table.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: The study has no rows for it, or an input is missing or malformed.
    """
    from amb.family import full_model, tuning_by_fusion, where_and_how
    from amb.reporting.inputs import PAIRS, read_table
    from amb.reporting.tables import ablation
    from amb.reporting.tables.comparison import read_comparison
    from amb.reporting.tables.efficiency import COSTS, tidy_efficiency
    from amb.study import load_study

    study = load_study(args.study).compared()
    full = full_model(study)
    kinds = {
        "ablation": (ablation.TUNING, tuning_by_fusion(study)),
        "fusion": (ablation.FUSION, where_and_how(study)),
    }
    kind, cells = kinds[args.table]
    if full is None or not cells:
        wanted = "rows that differ in " + ("BERT" if args.table == "ablation" else "their fusion")
        raise InputError(args.study, "methods", ", ".join(study.methods), wanted)
    table, pairs = read_comparison(args.comparison), read_table(args.pairs, PAIRS)
    labels = {name: row.label for name, row in study.methods.items()}
    costs = tidy_efficiency(read_table(args.costs, COSTS), labels)
    tidy = ablation.tidy_ablation(cells, full.method, table, pairs, costs)
    ablation.write_ablation(args.out_dir, kind, tidy, table, costs)
