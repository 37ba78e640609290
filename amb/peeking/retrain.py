"""A run once more, with the test split predicted after every epoch.

Training sees nothing of it: predictions are made from outside, in the call that training makes
after each epoch, and draw nothing. A test holds that the weights are, to the bit, those of the run
itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from amb import provenance
from amb.data.firewall import read_test_labels
from amb.errors import InputError
from amb.evaluation.metrics import METRICS, Floats
from amb.files import read_json, write_json
from amb.study import digest
from amb.training.job import Epoch, Job
from amb.training.predict import predict
from amb.training.run import build_model, fit, identify, open_context
from amb.training.seed_training import TrainingResult

SOURCES = ("amb/peeking", "amb/evaluation")
EPOCHS = "epochs.json"

OnEpoch = Callable[[Epoch], None]
Watch = Callable[[Epoch, Tensor], None]


def peek_seed(job: Job, seed: int, on_epoch: OnEpoch) -> str:
    """Retrain one seed and write its test metrics after every epoch, or find it done.

    Args:
        job: The method and its files; ``runs`` is the folder that peeking writes to.
        seed: The run's seed.
        on_epoch: Called after every epoch.

    Returns:
        One line that says how it ended.

    Raises:
        InputError: The row is a control, whose answer is known without peeking.
    """
    context = open_context(job)
    if context.study.methods[job.method].known_as:
        allowed = f"one of {', '.join(context.study.compared().methods)}"
        raise InputError(job.study_file, "row to peek at", job.method, allowed)
    file = job.folder(seed) / EPOCHS
    identity = digest([identify(job, seed), provenance.source_digest(*SOURCES)])
    if file.is_file() and read_json(file)["identity_sha256"] == identity:
        os.utime(file)  # newer than what it was checked against
        return "already peeked"
    by_id = read_test_labels(job.store).set_index("id")["label"]
    labels = by_id.loc[context.splits["test"].utterances].to_numpy(np.float64)
    epochs: list[dict[str, Any]] = []

    def note(epoch: Epoch, predictions: Tensor) -> None:
        test = _metrics(labels, predictions.cpu().numpy())
        epochs.append({"epoch": epoch.epoch, "valid_mae": epoch.valid_mae, "test": test})

    result = train_watched(job, seed, on_epoch, note)
    write_json(
        file,
        {
            "schema": 1,
            "method": job.method,
            "seed": seed,
            "identity_sha256": identity,
            "best_epoch": result.best_epoch,
            "epochs": epochs,
        },
    )
    return f"test metrics of {len(epochs)} epochs"


def train_watched(job: Job, seed: int, on_epoch: OnEpoch, watch: Watch) -> TrainingResult:
    """Train one seed as ``amb.training.run`` does, and show what it predicts after every epoch.

    Args:
        job: The method and its files.
        seed: The run's seed.
        on_epoch: Called after every epoch.
        watch: Called with the epoch and the predictions of the test split (U,), in its order.

    Returns:
        What training returned.
    """
    model = build_model(job, seed)

    def after_epoch(_: int, epoch: Epoch) -> None:
        on_epoch(epoch)
        watch(epoch, predict(model, open_context(job).splits["test"]))

    return fit(job, [model], [seed], after_epoch)[0][0]


def _metrics(labels: Floats, predictions: Floats) -> dict[str, float | None]:
    """Return all metrics of one set of predictions (U,), None where undefined."""
    values = {name: float(metric(labels, predictions[None])[0]) for name, metric in METRICS.items()}
    return {name: value if np.isfinite(value) else None for name, value in values.items()}
