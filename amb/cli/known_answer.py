"""``amb known-answer``: rows beside the bounds of generated data."""

from __future__ import annotations

import argparse
from pathlib import Path

from amb.errors import InputError

HELP = "Set a study's rows beside the known bounds of generated data; one above is an error."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb known-answer``."""
    parser.add_argument("--runs", type=Path, required=True, help="folder results/<study>/runs")
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--methods", type=Path, required=True, help="methods.json of amb check")
    parser.add_argument("--out-json", type=Path, required=True, help="known_answer.json to write")
    parser.add_argument("--out-dir", type=Path, required=True, help="folder of the tables")


def run(args: argparse.Namespace) -> None:
    """Write what every row reached and could reach, then fail if one is above its bound.

    Args:
        args: The parsed arguments.

    Raises:
        InputError: The study's data are not generated, ``methods.json`` lacks a row, or a row is
            above its bound; the files are written then too.
    """
    from amb.data.demo import DemoSettings, bounds
    from amb.evaluation.reading import read_study_predictions
    from amb.files import write_json
    from amb.reporting.inputs import modalities_read
    from amb.reporting.tables.known_answer import above_bound, write_known_answer
    from amb.statistics.known_answer import known_answer
    from amb.study import load_study

    study = load_study(args.study)
    if study.data["reader"] != "demo":
        raise InputError(args.study, "data.reader", study.data["reader"], "demo")
    reads = modalities_read(args.methods, study)
    settings = DemoSettings(**study.data["demo"])
    predictions = read_study_predictions(args.runs, study)
    found = known_answer(predictions, study, reads, bounds(settings))
    write_json(args.out_json, found)
    write_known_answer(args.out_dir, found)
    failures = above_bound(found)
    if failures:
        (field, value, expected), *others = failures
        hint = f"Also above: {'; '.join(where for where, *_ in others)}" if others else None
        raise InputError(args.runs, field, value, expected, hint)
    print(f"{len(found['rows'])} rows, none above its bound")
