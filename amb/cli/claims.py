"""``amb claims``: a verdict on every registered claim."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amb.statistics.claims import ClaimsFile
    from amb.statistics.evidence import Background
    from amb.study import Study

HELP = "Judge every registered claim from stored predictions and run records."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``amb claims``."""
    parser.add_argument("--runs", type=Path, required=True, help="folder results/<study>/runs")
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--claims", type=Path, required=True, help="the claims file (YAML)")
    parser.add_argument(
        "--published",
        type=Path,
        help="published numbers (CSV); by default published.csv beside the claims file, if any",
    )
    parser.add_argument(
        "--speed", type=Path, nargs="*", default=[], help="files that amb speed wrote"
    )
    parser.add_argument("--out-json", type=Path, required=True, help="claims.json to write")


def run(args: argparse.Namespace) -> None:
    """Read claims and evidence, and write the verdicts."""
    from amb.evaluation.predictions import run_folder
    from amb.evaluation.reading import read_study_predictions
    from amb.files import write_json
    from amb.registration import registration
    from amb.statistics.claims import load_claims
    from amb.statistics.judge import judge
    from amb.statistics.parameters import read_parameter_counts
    from amb.study import load_study

    claims = load_claims(args.claims)
    study = load_study(args.study).compared()
    predictions = read_study_predictions(args.runs, study, splits=("valid", "test"))
    counts = read_parameter_counts(args.runs, study)
    labels = {name: row.label for name, row in study.methods.items()}
    judged = judge(claims, predictions, counts, labels, _background(args, claims, study))
    folders = [
        run_folder(args.runs, name, seed)
        for name, row in study.methods.items()
        for seed in row.seeds
    ]
    write_json(args.out_json, {**judged, "registration": registration(args.claims, folders)})


def _background(args: argparse.Namespace, claims: ClaimsFile, study: Study) -> Background:
    """Read what some kinds of claims need beside predictions."""
    from amb.evaluation.reading import read_robustness_predictions, rows_with_corrupted
    from amb.statistics.claim_kinds import NoninferiorityClaim
    from amb.statistics.evidence import Background
    from amb.statistics.identities import read_identities
    from amb.statistics.published import PublishedNumbers, check_quoted, read_published
    from amb.statistics.speed import read_timings

    beside = args.claims.parent / "published.csv"
    file = args.published or (beside if beside.is_file() else None)
    published = read_published(file) if file else PublishedNumbers()
    check_quoted(args.claims, claims.claims, published)
    robust = [claim for claim in claims.claims if isinstance(claim, NoninferiorityClaim)]
    named = list(dict.fromkeys(row for claim in robust for row in (claim.a, claim.b)))
    rows = rows_with_corrupted(args.runs, study, named)
    return Background(
        dataset=study.dataset(),
        published=published,
        timings=read_timings(args.speed),
        identities=read_identities(args.runs, study),
        corrupted=read_robustness_predictions(args.runs, study, rows) if rows else None,
    )
