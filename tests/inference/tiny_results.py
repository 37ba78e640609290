"""Finished runs of the tiny study, laid out as the workflow lays them out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from amb import Utterance
from amb.data.store import Store
from amb.evaluation.predict import evaluate_seed
from amb.training.job import Job
from amb.training.run import open_context, run_seed

SEED = 1111


@dataclass(frozen=True)
class Results:
    """The folder ``results/tiny`` and how to add runs to it."""

    folder: Path
    study_file: Path

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def backbone(self) -> Path:
        return self.folder / "backbone"

    def run(self, method: str) -> Path:
        """Train and evaluate one seed for real, once."""
        job = Job(self.study_file, self.store, self.backbone, method, self.folder / "runs", "cpu")
        if not (job.folder(SEED) / "predictions.parquet").exists():
            open_context.cache_clear()
            run_seed(job, SEED, lambda _: None)
            evaluate_seed(job, SEED)
        return job.folder(SEED)


def lay_out(tiny, folder: Path, content: str) -> Results:
    """Copy the tiny study's parts into ``folder``, under a study of the given content."""
    shutil.copytree(tiny.store, folder / "store")
    shutil.copytree(tiny.backbone, folder / "backbone")
    (folder / "study.yaml").write_text(content)
    return Results(folder, folder / "study.yaml")


def stored_predictions(run: Path) -> pd.Series:
    """What evaluation stored for a run, by utterance."""
    return pd.read_parquet(run / "predictions.parquet").set_index("utterance")["prediction"]


def utterances_of(store: Store, rows) -> list[Utterance]:
    """Some utterances of a store as a caller would give them."""
    chosen = store.utterances.iloc[rows]
    arrays = {m: [store.features(m)[row] for row in rows] for m in store.modalities}
    return [
        Utterance(words=words, video=video, **{m: arrays[m][place] for m in arrays})
        for place, (words, video) in enumerate(zip(chosen["words"], chosen["video"], strict=True))
    ]
