"""The search: N trials of one row, each a training run of a study of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from amb import provenance
from amb.errors import InputError
from amb.files import read_json
from amb.study import digest
from amb.training.job import Epoch, Job
from amb.training.run import identify, open_context, run_seed
from amb.training.seeds import derive_seed
from amb.tuning.recipe import Values, write_study_with
from amb.tuning.storage import Outcome, Trial, TrialStorage
from amb.tuning.usable import check_space

SOURCES = ("amb/tuning",)

Report = Callable[[int, Epoch], None]


def search_identity(job: Job) -> str:
    """Return what makes a search this search; the number of its trials does not.

    Args:
        job: The row and its files; its study tunes.

    Returns:
        A SHA-256 in hexadecimal: of the row's run under the tuning seed, and the search space.
    """
    tuning = open_context(job).study.tuning
    assert tuning is not None
    return digest(
        {
            "run": identify(job, tuning.seed)["identity_sha256"],
            "search": tuning.search_view(job.method),
            "source_sha256": provenance.source_digest(*SOURCES),
        }
    )


def search(job: Job, trials: int, storage: Path, report: Report) -> list[Trial]:
    """Make the trials that a search still lacks.

    Args:
        job: The row and its files; ``runs`` is the folder of the trials' own files.
        trials: Finished trials in the end.
        storage: The SQLite file that keeps them.
        report: Called after every epoch, with the number of its trial.

    Returns:
        The first ``trials`` finished trials.

    Raises:
        InputError: The row cannot be tuned, or every trial diverged.
    """
    tuning = check_space(job)
    identity = search_identity(job)
    kept = TrialStorage(
        storage, f"{job.method}-{identity}", tuning.space_of(job.method), tuning.sampler
    )
    kept.drop_interrupted()
    while (number := len(kept.finished())) < trials:
        trial = kept.ask(derive_seed(f"tuning/{job.method}/{number}", tuning.seed))
        folder = job.runs / job.method / identity[:16] / f"trial{number}"
        outcome = run_trial(job, folder, trial.params, tuning.seed, partial(report, number))
        kept.tell(trial, outcome)
    found = kept.finished()[:trials]
    if all(math.isinf(trial.outcome.valid_mae) for trial in found):
        allowed = "one with a finite loss: lower learning rates"
        raise InputError(job.study_file, "tuning.space", f"{trials} diverged trials", allowed)
    return found


def run_trial(
    job: Job, folder: Path, values: Values, seed: int, on_epoch: Callable[[Epoch], None]
) -> Outcome:
    """Train a row with the values of a trial.

    Args:
        job: The row and its files.
        folder: The trial's own folder; gets its study, and its run beside it.
        values: By name of the dimension.
        seed: The tuning seed.
        on_epoch: Called after every epoch.

    Returns:
        The outcome; divergence in the first epoch is one, and counts as a trial.
    """
    file = folder / "study.yaml"
    write_study_with(file, job.study_file, job.method, values, f"A trial of row {job.method}.")
    own = replace(job, study_file=file, runs=folder)
    utterances = len(open_context(own).splits["train"])
    run_seed(own, seed, on_epoch)
    record = read_json(own.folder(seed) / "run.json")
    (own.folder(seed) / "checkpoint.safetensors").unlink()
    epochs = int(record["epochs"])
    diverged = record["best_epoch"] == 0
    best = math.inf if diverged else record["best_valid_mae"]
    return Outcome(best, epochs, epochs * utterances, record["wall_time_s"])
