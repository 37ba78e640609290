"""Predictions of frozen checkpoints on corrupted inputs: the test split at all points of a grid."""

from __future__ import annotations

import os
from collections.abc import Callable

import pandas as pd

from amb import provenance
from amb.errors import InputError
from amb.evaluation.corruption.grid import CorruptionScales, predict_grid, require_targets
from amb.evaluation.corruption.points import grid_points
from amb.evaluation.predict import load_frozen, origin_of, prediction_rows, write_labelled
from amb.evaluation.prediction_file import follows_from
from amb.evaluation.predictions import CORRUPTED_FILE
from amb.study import digest
from amb.training.job import Epoch, Job
from amb.training.run import open_context


def corrupt_seed(job: Job, seed: int, _on_epoch: Callable[[Epoch], None] | None = None) -> str:
    """Predict the test split at every point of the study's grid; ``corrupted.parquet``.

    Args:
        job: The method and its files.
        seed: The run's seed.
        _on_epoch: Never called; with it this is a task that ``run_seeds`` takes.

    Returns:
        One line that says what was written, and which conditions are not applicable.

    Raises:
        InputError: The study has no grid, or corrupts what the data lack.
    """
    study = open_context(job).study
    if study.corruption is None:
        raise InputError(job.study_file, "corruption", "no such section", "a grid of corruptions")
    grid = digest(study.corruption_view())
    origin = {**origin_of(job, seed, provenance.CORRUPTION_SOURCES), "grid_sha256": grid}
    file = job.folder(seed) / CORRUPTED_FILE
    if follows_from(file, origin):
        os.utime(file)
        return "already predicted"
    context, points = open_context(job), grid_points(study.corruption)
    require_targets(points, context)
    scales = CorruptionScales.of(context)
    found, skipped = predict_grid(load_frozen(job, seed), context.splits, points, scales)
    if not found:
        raise InputError(job.study_file, "corruption.grid", "nothing that applies", job.method)
    test = context.splits["test"]
    frame = pd.concat(
        [prediction_rows(test, "test", values, point.name) for point, values in found.items()]
    )
    write_labelled(file, job, seed, frame, origin)
    notes = [f"; not applicable: {condition.name} ({why})" for condition, why in skipped.items()]
    return f"{len(frame)} predictions at {len(found)} points{''.join(notes)}"
