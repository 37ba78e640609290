"""Rows beside the bounds of generated data: explained variance, shares, and who is above."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from amb.reporting.tables.known_answer import above_bound, markdown_known_answer
from amb.statistics.known_answer import informative, known_answer
from amb.study import load_study

ROOT = Path(__file__).resolve().parents[2]

VIDEOS, EACH, SEEDS = 40, 10, (1, 2, 3)
BOUNDS = {
    "text": {"r2": 0.5, "mae": 0.6},
    "text+audio": {"r2": 0.7, "mae": 0.5},
    "text+audio+visual": {"r2": 0.9, "mae": 0.3},
    "audio+visual": {"r2": 0.2, "mae": 0.8},
}
READS = {"all": ["text", "audio", "visual"], "words": ["text"], "deaf": ["text", "audio"]}


@pytest.fixture
def study(tmp_path):
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    content["methods"] = {
        "all": {"builder": "amb"},
        "words": {"builder": "finetuned_text"},
        "deaf": {"builder": "amb", "control": "shuffled_audio"},
        "permuted": {"builder": "amb", "control": "permuted_labels"},
        "mean": {"builder": "mean_predictor"},
    }
    content["statistics"]["reference"] = "all"
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return load_study(file)


def predictions(**correlations):
    """Return runs whose predictions have these correlations with the labels."""
    rng = np.random.default_rng(4)
    labels = rng.standard_normal(VIDEOS * EACH)
    frames = []
    for method in ("all", "words", "deaf", "permuted", "mean"):
        r = correlations.get(method, 0.3)
        for seed in SEEDS:
            noise = rng.standard_normal(labels.size)
            frame = pd.DataFrame(
                {
                    "video": np.repeat([f"v{k:02d}" for k in range(VIDEOS)], EACH),
                    "label": labels.astype(np.float32),
                    "prediction": (r * labels + np.sqrt(1 - r**2) * noise).astype(np.float32),
                }
            )
            frame["utterance"] = [f"{v}[{k % EACH}]" for k, v in enumerate(frame["video"])]
            frames.append(frame.assign(method=method, seed=seed, split="test", corruption="none"))
    return pd.concat(frames, ignore_index=True)


def check(study, **correlations):
    reads = {**READS, "deaf": ["text", "audio"], "permuted": ["text"], "mean": []}
    return known_answer(predictions(**correlations), study, reads, BOUNDS)


def test_explained_variance_is_the_mean_squared_correlation(study):
    frame = predictions(all=0.8)
    own = frame[frame["method"] == "all"]
    expected = np.mean(
        [np.corrcoef(run["label"], run["prediction"])[0, 1] ** 2 for _, run in own.groupby("seed")]
    )
    row = check(study, all=0.8)["rows"][0]
    assert row["explained"] == pytest.approx(expected, abs=1e-6)
    assert row["share"] == pytest.approx(expected / 0.9, abs=1e-6)
    assert row["ci_low"] < expected < row["ci_high"]
    assert (row["bound"], row["mae_bound"]) == (0.9, 0.3)


def test_what_is_shuffled_or_permuted_informs_nobody(study):
    rows = {row["row"]: row["reads"] for row in check(study)["rows"]}
    assert rows == {"all": ["text", "audio", "visual"], "words": ["text"], "deaf": ["text"]}
    assert informative(study.methods["permuted"], ["text", "audio"]) == []


def test_a_row_above_its_bound_is_found_and_one_near_it_is_not(study):
    near = check(study, words=0.72)  # explains .52 of .50: luck
    assert above_bound(near) == []
    above = check(study, words=0.95)
    (failure,) = above_bound(above)
    assert failure[0] == "words, explained variance"
    assert "at most 0.5000, the bound of text" in failure[2]
    assert "ABOVE ITS BOUND" in markdown_known_answer(above)
    assert "ABOVE" not in markdown_known_answer(near)
