import pickle

import h5py
import numpy as np
import pytest
from small_layouts import SPLITS, misa, mmsa, mult, tuples


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
