"""``amb power``: how many seeds every registered claim needs, from pilot runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from amb.errors import InputError

HELP = "Plan how many seeds every ordering claim needs, from pilot runs."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb power``."""
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument(
        "--runs", type=Path, required=True, help="folder results/<study>/runs of the pilot"
    )
    parser.add_argument("--claims", type=Path, help="claims file (default: the study's own)")
    parser.add_argument("--out", type=Path, help="file to write as well: .json or .csv")


def run(args: argparse.Namespace) -> None:
    """Print the plan as a table and, if asked, write it unrounded.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: ``--out`` is neither JSON nor CSV.
    """
    from amb.evaluation.method_runs import runs_by_method
    from amb.evaluation.reading import read_study_predictions
    from amb.reporting.markup.markdown import render_table
    from amb.reporting.tables.power import CAPTION, power_grid
    from amb.statistics.claims import load_claims
    from amb.statistics.power_plan import power_plan
    from amb.study import load_study

    if args.out is not None and args.out.suffix not in (".json", ".csv"):
        raise InputError("amb power", "--out", args.out.name, "a name that ends in .json or .csv")
    study = load_study(args.study).compared()
    claims = load_claims(args.claims or study.claims_file())
    predictions = read_study_predictions(args.runs, study, splits=("test",))
    plan = power_plan(claims, runs_by_method(predictions))
    if args.out is not None:
        _write(args.out, plan)
    print(render_table(power_grid(plan)) + "\n" + CAPTION, end="")


def _write(out: Path, plan: list[dict[str, object]]) -> None:
    import pandas as pd

    from amb.files import write_json, write_text
    from amb.statistics.power_plan import PLAN_COLUMNS

    if out.suffix == ".json":
        write_json(out, {"schema": 1, "plan": plan})
    else:
        table = pd.DataFrame(plan, columns=PLAN_COLUMNS)
        whole = ("seeds", "seeds_cautious", "pilot_seeds_a", "pilot_seeds_b", "n_videos")
        table = table.astype(dict.fromkeys(whole, "Int64"))  # whole numbers, and yet missing ones
        write_text(out, table.to_csv(index=False, na_rep="NaN"))
