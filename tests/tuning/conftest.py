"""The tiny study with a section ``tuning``."""

from __future__ import annotations

import pytest
import yaml

from amb.training.job import Job
from amb.training.run import open_context

SPACE = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "backbone_learning_rate": {"low": 1e-5, "high": 1e-3, "log": True},
    "batch_size": {"choices": [6, 12]},
}
OWN = {"backbone_learning_rate": {"instead": "options.head_dropout", "low": 0.0, "high": 0.5}}


@pytest.fixture
def tuned_study(tiny, tmp_path):
    """Write the tiny study with ``tuning``; keys of it, and rows, can be changed."""

    def write(rows=None, **changes):
        content = yaml.safe_load(tiny.file.read_text(encoding="utf-8"))
        content["methods"]["amb_shuffled"] = {"builder": "amb", "control": "shuffled_audio"}
        content["methods"].update(rows or {})
        tuning = {"trials": 3, "seed": 7, "space": SPACE, "methods": {"amb": OWN}}
        content["tuning"] = {**tuning, **changes}
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return file

    return write


@pytest.fixture
def job_of(tiny, tmp_path):
    """A job of a study's row."""

    def make(file, method="amb"):
        open_context.cache_clear()
        return Job(file, tiny.store, tiny.backbone, method, tmp_path / "trials", "cpu")

    return make
