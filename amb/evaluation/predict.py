"""Predictions of frozen checkpoints, once for every split.

Labels of the test split meet predictions here and in ``amb.peeking`` alone; nothing that trains or
chooses imports either.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from amb import provenance
from amb.data.batches import SplitData
from amb.data.firewall import read_test_labels
from amb.errors import InputError
from amb.evaluation.predictions import read_origin, write_predictions
from amb.files import read_json, sha256_of
from amb.model.method import SentimentModel
from amb.training.checkpoint import load_checkpoint
from amb.training.loop import Epoch, predict
from amb.training.run import Job, build_model, open_context


def evaluate_seed(job: Job, seed: int, _on_epoch: Callable[[Epoch], None] | None = None) -> str:
    """Predict all splits from a run's checkpoint, or find it done; ``predictions.parquet``.

    Args:
        job: The method and its files.
        seed: The run's seed.
        _on_epoch: Never called; with it this is a task that ``run_seeds`` takes.

    Returns:
        One line that says what was written.

    Raises:
        InputError: The checkpoint is not the one that the run's record names.
    """
    folder = job.folder(seed)
    checkpoint = folder / "checkpoint.safetensors"
    record = read_json(folder / "run.json")
    found = sha256_of(checkpoint)
    if found != record["checkpoint_sha256"]:
        raise InputError(checkpoint, "SHA-256", found, record["checkpoint_sha256"])
    context = open_context(job)
    predictions = folder / "predictions.parquet"
    origin = {
        "checkpoint_sha256": found,
        "store_sha256": context.store.content_hash,
        "source_sha256": provenance.source_digest(*provenance.EVALUATION_SOURCES),
    }
    if read_origin(predictions) == origin:
        os.utime(predictions)  # newer than what it was checked against
        return "already predicted"
    model = build_model(job, seed)
    load_checkpoint(checkpoint, model, context.backbone.sha256)
    test_labels = read_test_labels(job.store)
    frame = pd.concat(
        [
            pd.DataFrame(
                {"split": split, "id": data.utterances, "prediction": predict(model, data).cpu()}
            )
            for split, data in _splits_for(model, context.splits, test_labels).items()
        ]
    )
    labels = pd.concat([context.store.labels(), test_labels])
    videos = context.store.utterances[["id", "video"]]
    joined = frame.merge(videos, on="id", validate="1:1").merge(labels, on="id", validate="1:1")
    joined = joined.rename(columns={"id": "utterance"}).assign(
        method=job.method, seed=seed, corruption="none"
    )
    write_predictions(predictions, joined, origin)
    return f"{len(joined)} predictions"


def _splits_for(
    model: SentimentModel, splits: dict[str, SplitData], test_labels: pd.DataFrame
) -> dict[str, SplitData]:
    """Return the splits as a model may see them: with test labels for ``reads_labels`` only."""
    if not model.reads_labels:
        return splits
    test = splits["test"]
    values = test_labels.set_index("id")["label"].loc[test.utterances].to_numpy(np.float32)
    labels = torch.tensor(values).to(test.token_ids.values.device)
    return {**splits, "test": replace(test, labels=labels)}
