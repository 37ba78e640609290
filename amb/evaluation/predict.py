"""Predictions of frozen checkpoints: every split once.

Labels of the test split meet predictions here and in ``amb.peeking`` alone; nothing that trains or
chooses imports either.

Notation: U utterances of a split.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from amb import provenance
from amb.data.batches import SplitData
from amb.data.firewall import read_test_labels
from amb.errors import InputError
from amb.evaluation.corruption.points import CLEAN
from amb.evaluation.prediction_file import follows_from
from amb.evaluation.predictions import (
    CLEAN_FILE,
    write_predictions,
)
from amb.files import read_json, sha256_of
from amb.model.method import SentimentModel
from amb.training.checkpoint import load_checkpoint
from amb.training.job import Epoch, Job
from amb.training.predict import predict
from amb.training.run import build_model, open_context

CHECKPOINT = "checkpoint.safetensors"
ANEW = "It is damaged, or another run's: delete it, and the run is trained anew"


def evaluate_seed(job: Job, seed: int, _on_epoch: Callable[[Epoch], None] | None = None) -> str:
    """Predict all splits from a run's checkpoint, or find it done; ``predictions.parquet``.

    Args:
        job: The method and its files.
        seed: The run's seed.
        _on_epoch: Never called; with it this is a task that ``run_seeds`` takes.

    Returns:
        One line that says what was written.
    """
    origin = origin_of(job, seed, provenance.EVALUATION_SOURCES)
    file = job.folder(seed) / CLEAN_FILE
    if follows_from(file, origin):
        os.utime(file)  # newer than what it was checked against
        return "already predicted"
    model = load_frozen(job, seed)
    frame = pd.concat(
        [
            prediction_rows(data, split, predict(model, data))
            for split, data in _splits_for(model, job).items()
        ]
    )
    write_labelled(file, job, seed, frame, origin)
    return f"{len(frame)} predictions"


def origin_of(job: Job, seed: int, sources: Sequence[str]) -> dict[str, str]:
    """Return what predictions of a checkpoint follow from, as hashes by name.

    Args:
        job: The method and its files.
        seed: The run's seed.
        sources: The source that predicts.

    Returns:
        The hashes.

    Raises:
        InputError: The record is damaged, or names another checkpoint.
    """
    checkpoint = job.folder(seed) / CHECKPOINT
    record_file = job.folder(seed) / "run.json"
    try:
        expected = read_json(record_file)["checkpoint_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(record_file, "content", str(error), "a run's record", ANEW) from error
    found = sha256_of(checkpoint)
    if found != expected:
        raise InputError(checkpoint, "SHA-256", found, expected, ANEW)
    return {
        "checkpoint_sha256": found,
        "store_sha256": open_context(job).store.content_hash,
        "source_sha256": provenance.source_digest(*sources),
    }


def load_frozen(job: Job, seed: int) -> SentimentModel:
    """Build a run's model and load its checkpoint."""
    model = build_model(job, seed)
    load_checkpoint(job.folder(seed) / CHECKPOINT, model, open_context(job).backbone.sha256)
    return model


def prediction_rows(
    data: SplitData, split: str, values: Tensor, corruption: str = CLEAN
) -> pd.DataFrame:
    """Return predictions (U,) of a split as rows."""
    columns = {"split": split, "corruption": corruption, "utterance": data.utterances}
    return pd.DataFrame({**columns, "prediction": values.cpu()})


def write_labelled(
    file: Path, job: Job, seed: int, frame: pd.DataFrame, origin: Mapping[str, str]
) -> None:
    """Write predictions with their videos and labels.

    Args:
        file: Where to.
        job: The method and its files.
        seed: The run's seed.
        frame: Rows of ``prediction_rows``.
        origin: What they follow from.
    """
    store = open_context(job).store
    labels = pd.concat([store.labels(), read_test_labels(job.store)])
    known = store.utterances[["id", "video"]].merge(labels, on="id", validate="1:1")
    known = known.rename(columns={"id": "utterance"})
    joined = frame.merge(known, on="utterance", validate="m:1")
    write_predictions(file, joined.assign(method=job.method, seed=seed), origin)


def _splits_for(model: SentimentModel, job: Job) -> dict[str, SplitData]:
    """Return the splits as a model may see them: with test labels for ``reads_labels`` only."""
    splits = open_context(job).splits
    if not model.reads_labels:
        return splits
    test = splits["test"]
    labels = read_test_labels(job.store).set_index("id")["label"]
    values = torch.tensor(labels.loc[test.utterances].to_numpy(np.float32))
    return {**splits, "test": replace(test, labels=values.to(test.token_ids.values.device))}
