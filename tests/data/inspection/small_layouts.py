"""Contents of small pickles in the layouts of the field."""

import numpy as np

SPLITS = ("train", "valid", "test")


def mmsa(count=3):
    rng = np.random.default_rng(1)
    return {
        split: {
            "raw_text": ["what a film"] * count,
            "id": [f"{split}$_${k}" for k in range(count)],
            "regression_labels": np.linspace(-3, 3, count),
            "audio": rng.random((count, 6, 3)).astype(np.float32) + 1,
            "vision": rng.random((count, 4, 2)) + 1,
        }
        for split in SPLITS
    }


def tuples(video, count=3):
    rng = np.random.default_rng(2)
    return [
        (
            (["so", "good"], rng.random((2, 4)), rng.random((2, 5))),
            np.array([[1.0]]),
            f"{video}[{k}]",
        )
        for k in range(count)
    ]


def misa(video):
    return [
        ((np.array([3, 1]), visual, acoustic, words), label, segment)
        for (words, visual, acoustic), label, segment in tuples(video)
    ]


def mult():
    rng = np.random.default_rng(3)
    return {
        split: {
            "vision": rng.random((2, 5, 2)) + 1,
            "audio": rng.random((2, 5, 3)) + 1,
            "text": rng.random((2, 5, 4)) + 1,
            "labels": np.zeros((2, 1, 1)),
            "id": [f"{split}$_${k}" for k in range(2)],
        }
        for split in SPLITS
    }
