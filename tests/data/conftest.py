from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from amb.data.dataset import Dataset
from amb.data.demo import DemoSettings
from amb.data.ragged import Ragged

SHARES = {"text": 0.5, "audio": 0.12, "visual": 0.08, "interaction": 0.22}

# One utterance a video: (video, split, words, label).
TINY = [
    ("a", "train", ["good", "film"], 2.0),
    ("b", "train", ["bad"], -1.5),
    ("c", "valid", ["so", "so", "really"], 0.0),
    ("d", "test", ["awful", "sound"], -3.0),
]


@pytest.fixture
def tiny_dataset() -> Dataset:
    """Four utterances with word-aligned audio of 3 features and one visual row of 2."""
    rng = np.random.default_rng(0)
    rows = [
        (f"{video}[0]", video, "0", None, split, " ".join(words), words)
        for video, split, words, _ in TINY
    ]
    columns = ["id", "video", "clip", "speaker", "split", "text", "words"]
    utterances = pd.DataFrame(rows, columns=columns)
    labels = pd.DataFrame(
        {"id": utterances["id"], "label": np.array([row[3] for row in TINY], dtype=np.float32)}
    )
    features = {
        "audio": Ragged.from_sequences([rng.standard_normal((len(row[2]), 3)) for row in TINY]),
        "visual": Ragged.from_sequences([rng.standard_normal((1, 2)) for _ in TINY]),
    }
    return Dataset(utterances, features, labels, {"audio": True, "visual": False})


@pytest.fixture
def demo_settings() -> Callable[..., DemoSettings]:
    """Settings of a small demo; keywords replace parts of them."""

    def make(**changes: Any) -> DemoSettings:
        settings = {
            "seed": 7,
            "videos": {"train": 3, "valid": 2, "test": 2},
            "utterances_per_video": 4,
            "shares": SHARES,
        }
        return DemoSettings(**{**settings, **changes})

    return make


@pytest.fixture
def write_csd() -> Callable[..., Path]:
    """Write a computational sequence: intervals and features by video."""

    def write(
        file: Path, videos: dict[str, tuple[Any, Any]], root: str = "any name", **extra: str
    ) -> Path:
        with h5py.File(file, "w") as opened:
            for video, (intervals, features) in videos.items():
                group = opened.create_group(f"{root}/data/{video}")
                group["intervals"] = np.asarray(intervals, dtype=np.float64)
                group["features"] = np.asarray(features)
            for key, value in extra.items():
                opened[f"{root}/metadata/{key}"] = value
        return file

    return write
