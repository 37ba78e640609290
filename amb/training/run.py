"""One run: one method under one seed, from the store to a checkpoint, a curve and a record."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from amb import provenance
from amb.data.batches import SplitData, load_splits
from amb.data.controls import apply_control
from amb.data.store import Store
from amb.files import atomic_path, read_json, sha256_of, write_json
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape, SentimentModel, find_builder
from amb.study import Study, digest, load_study
from amb.training.checkpoint import save_checkpoint
from amb.training.loop import Epoch, TrainingResult, train
from amb.training.record import (
    curve_rows,
    describe_environment,
    describe_result,
    reset_peak_memory,
)
from amb.training.seeds import derive_seed, seeded
from amb.training.seen_embedding import train_seen_rows_only

OUTPUTS = ("checkpoint.safetensors", "curve.csv", "run.json")


@dataclass(frozen=True)
class Job:
    """What a run needs; all of it can be sent to another process.

    Attributes:
        study_file: The study.
        store: The store's folder; ``labels.test.parquet`` in it is never opened.
        backbone: The prepared backbone's folder.
        method: Row of the study.
        runs: The folder ``runs`` of the results.
        device: ``cpu`` or ``cuda``.
        threads: Threads of one run; more than one changes the last bits.
    """

    study_file: Path
    store: Path
    backbone: Path
    method: str
    runs: Path
    device: str
    threads: int = 1

    def folder(self, seed: int) -> Path:
        """Return the run's folder."""
        return self.runs / self.method / f"seed{seed}"


@dataclass(frozen=True)
class Context:
    """A job's files, opened once a process and shared by its seeds."""

    study: Study
    backbone: Backbone
    store: Store
    features: FeatureShape
    splits: dict[str, SplitData]
    device: torch.device


@lru_cache(maxsize=1)
def open_context(job: Job) -> Context:
    """Open what all seeds of a job share, and set the process's threads and precision."""
    study = load_study(job.study_file)
    torch.set_num_threads(job.threads)
    torch.set_float32_matmul_precision(study.methods[job.method].training.matmul_precision)
    backbone = Backbone(job.backbone, study.backbone)
    backbone.require_positions(study.data["max_pieces"], job.study_file, "data.max_pieces")
    store = Store.open(job.store)
    device = torch.device(job.device)
    splits = load_splits(store, job.backbone, study.data["max_pieces"], study.data["normalisation"])
    splits = apply_control(
        splits, study.methods[job.method].control, store.word_aligned, store.has_text
    )
    return Context(
        study,
        backbone,
        store,
        FeatureShape.of(store),
        {name: split.to(device) for name, split in splits.items()},
        device,
    )


def build_model(job: Job, seed: int) -> SentimentModel:
    """Build the job's model with the initial weights of ``seed``."""
    context = open_context(job)
    method = context.study.methods[job.method]
    with seeded("initialisation", seed):
        model = find_builder(method.builder)(method.options, context.backbone, context.features)
    return model.to(context.device)


def fit(
    job: Job, model: SentimentModel, seed: int, on_epoch: Callable[[Epoch], None]
) -> tuple[TrainingResult, dict[str, Tensor]]:
    """Train a freshly built model on the streams of ``seed``.

    Args:
        job: The method and its files.
        model: Trained in place.
        seed: The run's seed.
        on_epoch: Called after every epoch.

    Returns:
        What training returns, and the rows of the word embedding that trained, by parameter.
    """
    context = open_context(job)
    train_data = context.splits["train"]
    row_ids = train_seen_rows_only(model, train_data.token_ids.own_values())
    order = torch.Generator().manual_seed(derive_seed("order", seed))
    settings = context.study.methods[job.method].training
    with seeded("dropout", seed):
        result = train(model, train_data, context.splits["valid"], settings, order, on_epoch)
    return result, row_ids


def identify(job: Job, seed: int) -> dict[str, Any]:
    """Return what makes a run this run; equal identities give equal runs on one machine."""
    context = open_context(job)
    view = context.study.training_view(job.method)
    identity = {
        "study": context.study.name,
        "method": job.method,
        "seed": seed,
        "config_sha256": digest(view),
        "store_sha256": context.store.content_hash,
        "backbone_sha256": context.backbone.sha256,
        "source_sha256": provenance.training_digest(context.study.methods[job.method].builder),
    }
    return {**identity, "identity_sha256": digest(identity)}


def is_complete(job: Job, seed: int) -> bool:
    """Whether the run's files are there, whole, and the product of today's inputs."""
    folder = job.folder(seed)
    if not all((folder / name).is_file() for name in OUTPUTS):
        return False
    record = read_json(folder / "run.json")
    current = identify(job, seed)["identity_sha256"]
    return bool(
        record.get("identity_sha256") == current
        and record.get("checkpoint_sha256") == sha256_of(folder / "checkpoint.safetensors")
    )


def run_seed(job: Job, seed: int, on_epoch: Callable[[Epoch], None]) -> str:
    """Train one seed, or find it done.

    Args:
        job: The method and its files.
        seed: The run's seed.
        on_epoch: Called after every epoch.

    Returns:
        One line that says how it ended.
    """
    folder = job.folder(seed)
    if is_complete(job, seed):
        for name in OUTPUTS:  # newer than what they were checked against
            os.utime(folder / name)
        return "already complete"
    context = open_context(job)
    identity = identify(job, seed)  # of the inputs that training starts from
    reset_peak_memory(context.device)
    start = time.perf_counter()
    model = build_model(job, seed)
    parameters = model.count_parameters()
    result, row_ids = fit(job, model, seed, on_epoch)
    wall_time_s = time.perf_counter() - start
    checkpoint = folder / "checkpoint.safetensors"
    save_checkpoint(checkpoint, result.state, row_ids, identity)
    with atomic_path(folder / "curve.csv") as temporary:
        pd.DataFrame(curve_rows(result)).to_csv(temporary, index=False)
    record = {
        "schema": 1,
        **identity,
        "config": context.study.training_view(job.method),
        "checkpoint_sha256": sha256_of(checkpoint),
        "parameters": parameters,
        "wall_time_s": wall_time_s,
        **describe_result(result),
        **describe_environment(context.device),
    }
    write_json(folder / "run.json", record)  # last: with it the run is complete
    best = result.curve[result.best_epoch - 1].valid_mae
    return f"best epoch {result.best_epoch}, validation MAE {best:.4f}, stopped: {result.stopped}"
