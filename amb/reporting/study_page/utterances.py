"""What the utterance browser shows: texts, labels, and every method's predictions over seeds.

Notation: ``N`` utterances, ``M`` methods, ``S`` seeds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amb.errors import InputError
from amb.evaluation.method_runs import MethodRuns, runs_by_method
from amb.evaluation.reading import read_predictions
from amb.reporting.study_page.folder import StudyFolder
from amb.reporting.study_page.packing import LARGEST, packing_for

Floats = NDArray[np.float64]

BYTES_A_NUMBER = 8 / 3  # two bytes, in base64
FURTHER_NUMBERS = 4  # label, video, and their punctuation
SPLIT = "test"


@dataclass(frozen=True)
class Utterances:
    """The test utterances with what was predicted for them.

    Attributes:
        methods: (M,) names of the compared rows, in table order.
        seeds: (M,) how many seeds each has.
        ids: (N,) ids.
        videos: (N,) videos.
        labels: (N,).
        texts: (N,) texts; None where the folder has no store.
        mean: (N, M) mean over seeds.
        low: (N, M) smallest over seeds.
        high: (N, M) largest over seeds.
    """

    methods: list[str]
    seeds: list[int]
    ids: list[str]
    videos: list[str]
    labels: Floats
    texts: list[str] | None
    mean: Floats
    low: Floats
    high: Floats

    @property
    def disagreement(self) -> Floats:
        """Standard deviation of the methods' mean predictions, (N,)."""
        return np.asarray(self.mean.std(axis=1))


def read_utterances(folder: StudyFolder) -> Utterances | None:
    """Read predictions and texts of the test split.

    Args:
        folder: The results folder.

    Returns:
        The utterances in the order of their videos; None where there are no predictions.
    """
    files = folder.prediction_files()
    methods = [name for name in folder.compared if name in files]
    if not methods:
        return None
    predictions = read_predictions(file for name in methods for file in files[name])
    runs = runs_by_method(predictions, SPLIT)
    first = runs[methods[0]]
    ids = [str(utterance) for utterance in first.utterances]
    return Utterances(
        methods=methods,
        seeds=[int(runs[name].seeds.size) for name in methods],
        ids=ids,
        videos=[str(video) for video in first.videos],
        labels=first.labels,
        texts=_texts(folder.path / "store" / "utterances.parquet", ids),
        mean=_over_seeds(runs, methods, "mean"),
        low=_over_seeds(runs, methods, "min"),
        high=_over_seeds(runs, methods, "max"),
    )


def utterance_payload(found: Utterances, most_characters: int) -> dict[str, Any]:
    """Return what the browser reads, within a number of characters.

    Args:
        found: The utterances.
        most_characters: What the page has room for.

    Returns:
        JSON-able values. Where there is no room for all, those on which the methods disagree most;
        ``total`` says how many there are.
    """
    kept = _that_fit(found, most_characters)
    numbers = [found.labels[kept], found.mean[kept], found.low[kept], found.high[kept]]
    packing = packing_for(*numbers)
    clipped = [np.clip(array, -LARGEST, LARGEST) for array in numbers]
    labels, mean, low, high = (packing.pack(array) for array in clipped)
    videos = list(dict.fromkeys(found.videos[place] for place in kept))
    index = {video: place for place, video in enumerate(videos)}
    return {
        "total": len(found.ids),
        "methods": found.methods,
        "seeds": found.seeds,
        "ids": [found.ids[place] for place in kept],
        "videos": videos,
        "video": [index[found.videos[place]] for place in kept],
        "texts": None if found.texts is None else [found.texts[place] for place in kept],
        "decimals": packing.decimals,
        "labels": labels,
        "mean": mean,
        "low": low,
        "high": high,
    }


def _that_fit(found: Utterances, most_characters: int) -> NDArray[np.intp]:
    """Return the places of the utterances that fit, in their order."""
    texts = found.texts or [""] * len(found.ids)
    numbers = BYTES_A_NUMBER * (3 * len(found.methods) + FURTHER_NUMBERS)
    pairs = zip(found.ids, texts, strict=True)
    sizes = np.array([numbers + _characters(name) + _characters(text) for name, text in pairs])
    order = np.argsort(-found.disagreement, kind="stable")
    fits = int(np.searchsorted(np.cumsum(sizes[order]), most_characters, side="right"))
    return np.sort(order[:fits])


def _characters(text: str) -> int:
    """Return how many bytes a text takes in the page's JSON, its escapes included."""
    return len(json.dumps(text, ensure_ascii=False).encode()) + 5 * sum(
        text.count(c) for c in "<>&"
    )


def _over_seeds(runs: Mapping[str, MethodRuns], methods: list[str], how: str) -> Floats:
    """Return one number a method and utterance, (N, M), from predictions (S, N)."""
    return np.stack([getattr(runs[name].predictions, how)(axis=0) for name in methods], axis=1)


def _texts(file: Path, ids: list[str]) -> list[str] | None:
    """Return the texts of the store in the order of ``ids``; None where there is no store."""
    if not file.is_file():
        return None
    frame = pd.read_parquet(file, columns=["id", "text"])
    texts = dict(zip(frame["id"], frame["text"], strict=True))
    missing = next((name for name in ids if name not in texts), None)
    if missing is not None:
        raise InputError(file, "id", f"no {missing}", "every utterance that was predicted")
    return [str(texts[name]) for name in ids]
