import pickle

import h5py
import numpy as np
import pytest

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


@pytest.fixture
def layouts(tmp_path, write_csd):
    """One small file of each layout, by the layout's name."""
    files = {}

    def pickled(name, content):
        files[name] = tmp_path / f"{name}.pkl"
        files[name].write_bytes(pickle.dumps(content))

    pickled("mmsa", mmsa())
    pickled("mag", {"train": tuples("a"), "dev": tuples("b"), "test": tuples("c")})
    pickled("misa", misa("a"))
    pickled("mult", mult())
    pickled("segments", {0: ["a[0]", 0.0, 1.5], 1: ["a[1]", 1.5, 2.0]})
    files["csd"] = write_csd(tmp_path / "x.csd", {"v": ([[0, 1], [1, 2]], [[1.0], [-2.0]])})
    files["h5"] = tmp_path / "y.h5"
    with h5py.File(files["h5"], "w") as opened:
        opened["d1"] = np.ones((2, 3, 4))
    files["label_csv"] = tmp_path / "label.csv"
    rows = [f"{split},{k},fine,{k},{split}" for split in SPLITS for k in range(2)]
    files["label_csv"].write_text("\n".join(["video_id,clip_id,text,label,mode", *rows]) + "\n")
    files["transcripts"] = tmp_path / "t.csv"
    files["transcripts"].write_text("video_id,text\nv,fine\n")
    files["folds"] = tmp_path / "folds.txt"
    files["folds"].write_text("".join(f"standard_{split}_fold = ['{split}']\n" for split in SPLITS))
    return files
