"""A small split with what corruptions need, and the job of a row under a grid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import yaml

from amb.data.batches import SplitData
from amb.data.ragged import Ragged
from amb.data.tokenisation import TokenisedTexts
from amb.evaluation.corruption.encoders import EmbeddingNoise
from amb.evaluation.corruption.fields import FieldKey
from amb.evaluation.corruption.frames import FeatureUnit
from amb.evaluation.corruption.inputs import InputCorruption
from amb.evaluation.corruption.points import GridPoint
from amb.training.job import Job
from amb.training.run import open_context

WIDTHS = {"audio": 3, "visual": 2}
MASK = 103
GRID = {
    "draws": 2,
    "grid": [
        {"kind": "gaussian", "targets": ["audio", "audio+visual"], "levels": [0, 1]},
        {"kind": "feature_dropout", "targets": ["visual"], "levels": [0.5]},
        {"kind": "temporal_shuffle", "targets": ["audio"], "levels": [1]},
        {"kind": "missing", "targets": ["audio", "text", "visual+text"], "levels": [0, 1]},
        {"kind": "token_mask", "targets": ["text"], "levels": [0, 0.5]},
        {"kind": "embedding_noise", "targets": ["text"], "levels": [0, 1]},
    ],
}


@pytest.fixture
def split():
    """Five utterances of unequal length, word-pieces and frames."""
    rng = np.random.default_rng(7)
    lengths = np.array([4, 7, 3, 6, 5])
    offsets = np.concatenate([[0], lengths.cumsum()])
    words = np.concatenate([[-1, *range(n - 2), -1] for n in lengths])
    tokens = TokenisedTexts(rng.integers(1000, 2000, offsets[-1]), words, offsets, 0, 0)
    features = {
        m: (Ragged(rng.normal(size=(offsets[-1], F)).astype(np.float32), offsets), None)
        for m, F in WIDTHS.items()
    }
    return SplitData.select([f"u{i}" for i in range(5)], tokens, features, np.arange(5))


def corruption(name: str, mean: float = 0.0, std: float = 1.0) -> InputCorruption:
    """Return what the point of a name does, features having this mean and deviation."""
    point = GridPoint.parse(name)
    units = {
        m: FeatureUnit(torch.full((F,), mean), torch.full((F,), std)) for m, F in WIDTHS.items()
    }
    key = FieldKey(point.condition.kind, "text", point.draw)
    return InputCorruption(point, units, MASK, EmbeddingNoise(key, point.condition.level, 4))


@pytest.fixture
def corrupt_batch(split):
    """Apply a point to some rows: ``corrupt_batch(name, rows)``."""

    def apply(name, rows=range(5), **scale):
        rows = torch.tensor(list(rows))
        utterances = [split.utterances[row] for row in rows.tolist()]
        return corruption(name, **scale)(split.batch(rows), utterances)

    return apply


@pytest.fixture
def grid_job(tiny, tmp_path):
    """A job of a row that is added to the tiny study under ``GRID``."""

    def make(name, grid=GRID, **row):
        content = yaml.safe_load(tiny.file.read_text(encoding="utf-8"))
        content["methods"] = {**content["methods"], name: row}
        content["corruption"] = grid
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        open_context.cache_clear()
        return Job(file, tiny.store, tiny.backbone, name, tmp_path / "runs", "cpu")

    return make
