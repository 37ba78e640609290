"""``amb robustness-report``: the robustness table and figure."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Write the robustness table (CSV, Markdown, HTML) and figure (PNG, PDF)."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--study", type=Path, required=True, help="the study (YAML)")
    parser.add_argument("--robustness", type=Path, required=True, help="robustness.csv")
    parser.add_argument("--tables", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--figures", type=Path, required=True, help="folder of the figures")


def run(args: argparse.Namespace) -> None:
    """Write table and figure."""
    from amb.reporting.figures.robustness import robustness_figure
    from amb.reporting.figures.style import save_figure
    from amb.reporting.inputs import read_table
    from amb.reporting.tables.robustness import ROBUSTNESS, in_order, write_robustness
    from amb.study import load_study

    study = load_study(args.study).compared()
    table = in_order(read_table(args.robustness, ROBUSTNESS), study, args.robustness)
    write_robustness(args.tables, table, study)
    for suffix in (".png", ".pdf"):
        figure = robustness_figure(table, study.statistics.alpha)
        save_figure(figure, args.figures / f"robustness{suffix}")
