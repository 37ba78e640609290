"""One run: one method under one seed, from the store to a checkpoint, a curve and a record."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from amb import heartbeat, provenance, termination
from amb.data.batches import SplitData, load_splits
from amb.data.controls import apply_control
from amb.data.store import Store
from amb.errors import InputError
from amb.files import atomic_path, read_json, sha256_of, write_json
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape, SentimentModel, find_builder
from amb.model.precision import set_precision, use_matmul_precision
from amb.source_graph import builder_file
from amb.study import Study, digest, load_study
from amb.training.checkpoint import save_checkpoint
from amb.training.job import Epoch, Job
from amb.training.loop import OnEpoch, train_seeds
from amb.training.memory import features_fit
from amb.training.pack import UnpackableError
from amb.training.record import (
    curve_rows,
    describe_environment,
    describe_result,
    reset_peak_memory,
)
from amb.training.resume import FILE as RESUME
from amb.training.resume import ResumeFile
from amb.training.seed_training import NON_FINITE, TrainingResult
from amb.training.seeds import seeded
from amb.training.seen_embedding import train_seen_rows_only

AFTER_NON_FINITE = (
    "The run counts as it is, at its best epoch; a lower training.learning_rate or a"
    " training.gradient_clip above 0 keeps a loss finite, and is another recipe"
)
OUTPUTS = ("checkpoint.safetensors", "curve.csv", "run.json")


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
    device = torch.device(job.device)
    use_matmul_precision(study.methods[job.method].training.matmul_precision, device)
    backbone = Backbone(job.backbone, study.backbone)
    _ = backbone.sha256  # refuses damaged files before any is read
    backbone.require_positions(study.data["max_pieces"], job.study_file, "data.max_pieces")
    store = Store.open(job.store)
    splits = load_splits(store, job.backbone, study.data["max_pieces"], study.data["normalisation"])
    splits = apply_control(
        splits, study.methods[job.method].control, store.word_aligned, store.has_text
    )
    held = features_fit(splits.values(), device)
    if not held:
        say("features take too much of the GPU's memory: they are brought batch by batch")
    return Context(
        study,
        backbone,
        store,
        FeatureShape.of(store),
        {name: split.to(device, held) for name, split in splits.items()},
        device,
    )


def build_model(job: Job, seed: int) -> SentimentModel:
    """Build the job's model.

    Args:
        job: The method and its files.
        seed: Its initial weights follow from it.

    Returns:
        The model, on the job's device.

    Raises:
        InputError: What the method's file builds is no such model.
    """
    context = open_context(job)
    method = context.study.methods[job.method]
    with seeded("initialisation", seed):
        model = find_builder(method.builder)(method.options, context.backbone, context.features)
    if not isinstance(model, SentimentModel):
        file, found = builder_file(method.builder), type(model).__name__
        raise InputError(file, "build", found, "a SentimentModel of amb.model.method")
    set_precision(model, method.training.precision)
    return model.to(context.device)


def fit(
    job: Job,
    models: Sequence[SentimentModel],
    seeds: Sequence[int],
    on_epoch: OnEpoch,
    keeper: ResumeFile | None = None,
) -> tuple[list[TrainingResult], dict[str, Tensor]]:
    """Train freshly built models together, each on the streams of its seed.

    Args:
        job: The method and its files.
        models: One a seed; trained in place.
        seeds: The runs' seeds.
        on_epoch: Called after every epoch of every seed.
        keeper: Keeps the training's state, to go on from after an interruption; None: nobody.

    Returns:
        What training returns for each seed, and the rows of the word embedding that trained, by
        parameter.

    Raises:
        UnpackableError: These seeds can not train as one model; nothing has happened yet.
    """
    context = open_context(job)
    train_data = context.splits["train"]
    row_ids = [train_seen_rows_only(m, train_data.token_ids.own_values()) for m in models]
    settings = context.study.methods[job.method].training
    valid_data = context.splits["valid"]
    results = train_seeds(models, seeds, train_data, valid_data, settings, on_epoch, keeper, say)
    return results, row_ids[0]


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
        "tokenizer_sha256": context.backbone.tokenizer_sha256,
        "source_sha256": provenance.training_digest(context.study.methods[job.method].builder),
    }
    return {**identity, "identity_sha256": digest(identity)}


def is_complete(job: Job, seed: int) -> bool:
    """Whether the run's files are there, whole, and the product of today's inputs."""
    folder = job.folder(seed)
    if not all((folder / name).is_file() for name in OUTPUTS):
        return False
    try:
        record = read_json(folder / "run.json")
    except ValueError as error:
        say(f"{folder / 'run.json'}: not usable, training starts anew: {error}")
        return False
    if not isinstance(record, dict):
        return False
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
    return run_pack(job, [seed], lambda _, epoch: on_epoch(epoch))[seed]


def run_pack(job: Job, seeds: Sequence[int], on_epoch: OnEpoch) -> dict[int, str]:
    """Train some seeds as one model, or find them done; in turn, if the method does not allow it.

    Args:
        job: The method and its files.
        seeds: The runs' seeds.
        on_epoch: Called after every epoch of every seed.

    Returns:
        A line for each seed that says how it ended.
    """
    done = {seed: "already complete" for seed in seeds if is_complete(job, seed)}
    for seed in done:
        for name in OUTPUTS:  # newer than what they were checked against
            os.utime(job.folder(seed) / name)
    to_do = [seed for seed in seeds if seed not in done]
    if not to_do:
        return done
    try:
        return {**done, **_train_pack(job, to_do, on_epoch)}
    except UnpackableError as error:
        say(f"{job.method}: seeds train one after another, not as one model: {error}")
        for seed in to_do:
            heartbeat.forget(job.folder(seed))
        return {**done, **{s: run_pack(job, [s], on_epoch)[s] for s in to_do}}


def _train_pack(job: Job, seeds: Sequence[int], on_epoch: OnEpoch) -> dict[int, str]:
    """Train and write some seeds, and show meanwhile that they live."""
    folders = {seed: job.folder(seed) for seed in seeds}
    max_epochs = open_context(job).study.methods[job.method].training.max_epochs
    beating = heartbeat.Heartbeat(job.method, folders, max_epochs)
    with termination.postponed_sigterm(), beating as beat:

        def report(seed: int, epoch: Epoch) -> None:
            beat.epoch(seed, epoch.epoch, epoch.valid_mae, epoch.wall_time_s)
            on_epoch(seed, epoch)

        return _train_and_write(job, seeds, report)


def _train_and_write(job: Job, seeds: Sequence[int], on_epoch: OnEpoch) -> dict[int, str]:
    context = open_context(job)
    identities = [identify(job, seed) for seed in seeds]  # of the inputs that training starts from
    reset_peak_memory(context.device)
    start = time.perf_counter()
    models = [build_model(job, seed) for seed in seeds]
    parameters = models[0].count_parameters()
    keeper = _resume_file(job, seeds, identities)
    results, row_ids = fit(job, models, seeds, on_epoch, keeper)
    record = {
        "config": context.study.training_view(job.method),
        "precision": context.study.methods[job.method].training.precision,
        "parameters": parameters,
        "packed_seeds": list(seeds),
        "wall_time_s": (time.perf_counter() - start) / len(seeds),
        "trained_at": time.time(),
        **describe_environment(context.device),
    }
    for seed, identity, result in zip(seeds, identities, results, strict=True):
        _write_run(job.folder(seed), identity, result, row_ids, record)
    keeper.remove()
    return {seed: _summary(result) for seed, result in zip(seeds, results, strict=True)}


def _resume_file(
    job: Job, seeds: Sequence[int], identities: Sequence[dict[str, Any]]
) -> ResumeFile:
    """Return the file that these seeds go on from, bound to all that their bits depend on."""
    numerics = [job.device, torch.get_num_threads(), provenance.versions()]
    identity = digest([[own["identity_sha256"] for own in identities], numerics])
    return ResumeFile(job.folder(seeds[0]) / RESUME, identity, job.keep_minutes, say)


def _write_run(
    folder: Path,
    identity: dict[str, Any],
    result: TrainingResult,
    row_ids: dict[str, Tensor],
    record: dict[str, Any],
) -> None:
    """Write a run's outputs; its record last: with it the run is complete."""
    checkpoint = folder / "checkpoint.safetensors"
    save_checkpoint(checkpoint, result.state, row_ids, identity)
    with atomic_path(folder / "curve.csv") as temporary:
        pd.DataFrame(curve_rows(result)).to_csv(temporary, index=False)
    whole = {
        "schema": 1,
        **identity,
        "checkpoint_sha256": sha256_of(checkpoint),
        **record,
        **describe_result(result),
    }
    write_json(folder / "run.json", whole)


def _summary(result: TrainingResult) -> str:
    best = f"best epoch {result.best_epoch}, validation MAE {result.best_valid_mae:.4f}"
    hint = f". {AFTER_NON_FINITE}" if result.stopped == NON_FINITE else ""
    return f"{best}, stopped: {result.stopped}{hint}"


def say(line: str) -> None:
    """Tell of something in the job's log."""
    print(line, file=sys.stderr, flush=True)
