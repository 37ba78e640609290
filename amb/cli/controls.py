"""``amb controls``: whether every control row lies in the range that is known of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from amb.errors import InputError

HELP = "Check a study's control rows against their known ranges; one out of range is an error."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb controls``."""
    parser.add_argument("--runs", type=Path, required=True, help="folder results/<study>/runs")
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--out-json", type=Path, required=True, help="controls.json to write")
    parser.add_argument("--out-dir", type=Path, required=True, help="folder of the tables")


def run(args: argparse.Namespace) -> None:
    """Check the control rows and write what was found, then fail if one is out of range.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: A quantity of a control row is out of its range; the files are written then
            too.
    """
    from amb.evaluation.reading import read_study_predictions
    from amb.files import write_json
    from amb.reporting.tables.controls import out_of_range, write_controls
    from amb.statistics.controls import check_controls
    from amb.study import load_study

    study = load_study(args.study)
    checked = check_controls(read_study_predictions(args.runs, study), study)
    write_json(args.out_json, checked)
    write_controls(args.out_dir, checked)
    failures = out_of_range(checked)
    if failures:
        (field, found, expected), *others = failures
        more = [f"{where}: found {value}, expected {known}" for where, value, known in others]
        hint = f"Also out of range: {'; '.join(more)}" if more else None
        raise InputError(args.runs, f"control {field}", found, expected, hint)
    print(f"{len(checked['controls'])} control rows, none out of range")
