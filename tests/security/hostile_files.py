"""Files of every format that is read, each with a payload that makes a folder if it is ever run."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

SPLITS = ("train", "valid", "test")


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def mmsa(payload: Payload) -> dict:
    return {
        split: {
            "raw_text": ["what a film"] * 3,
            "id": [f"{split}$_${k}" for k in range(3)],
            "regression_labels": np.linspace(-3, 3, 3),
            "audio": payload,
            "vision": np.ones((3, 4, 2)),
        }
        for split in SPLITS
    }


def tuples(payload: Payload) -> list:
    words = (["so", "good"], np.ones((2, 4)), payload)
    return [(words, np.array([[1.0]]), f"v[{k}]") for k in range(3)]


def mult(payload: Payload) -> dict:
    own = {"vision": payload, "audio": np.ones((2, 5, 3)), "text": np.ones((2, 5, 4))}
    rest = {"labels": np.zeros((2, 1, 1)), "id": [f"v$_${k}" for k in range(2)]}
    return {split: {**own, **rest} for split in SPLITS}


def write_all(folder: Path, mark: Path) -> list[Path]:
    """Write one hostile file of each format.

    Args:
        folder: Where to.
        mark: The folder that a payload makes.

    Returns:
        The files.
    """
    payload = Payload(mark)
    pickled = {
        "bare.pkl": payload,
        "mmsa.pkl": mmsa(payload),
        "mag.pkl": {"train": tuples(payload), "dev": tuples(payload), "test": tuples(payload)},
        "misa.pkl": tuples(payload),
        "mult.pkl": mult(payload),
        "segments.pkl": {0: ["a[0]", 0.0, payload]},
        "objects.npy.pkl": np.array([payload], dtype=object),
    }
    for name, content in pickled.items():
        for protocol in (0, 4):
            (folder / f"{protocol}-{name}").write_bytes(pickle.dumps(content, protocol))
    np.save(folder / "objects.npy", np.array([payload], dtype=object), allow_pickle=True)
    np.savez(folder / "objects.npz", audio=np.array([payload], dtype=object))
    torch.save({"weights": payload}, folder / "zip.pt")
    torch.save({"weights": payload}, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    write_hdf5(folder, pickle.dumps(payload))
    text = f"!!python/object/apply:os.mkdir ['{mark}']"
    rows = "".join(f"{s},{k},{text},0.5,{s}\n" for s in SPLITS for k in range(2))
    (folder / "label.csv").write_text(f"video_id,clip_id,text,label,mode\n{rows}")
    (folder / "transcripts.csv").write_text(f"video_id,text\nv,=cmd|'mkdir {mark}'!A1\n")
    folds = f"standard_train_fold = [__import__('os').mkdir({str(mark)!r})]\n"
    (folder / "folds.txt").write_text(folds)
    return sorted(path for path in folder.iterdir() if path.is_file())


def write_hdf5(folder: Path, pickled: bytes) -> None:
    """Pickles as PyTables hides them, and a link to a file outside."""
    with h5py.File(folder / "pickled.h5", "w") as opened:
        opened["d1"] = np.ones((2, 3, 4))
        opened.attrs["FILTERS"] = np.void(pickled)
        opened["d1"].attrs["kind"] = np.void(pickled)
        opened["objects"] = np.void(pickled)
    with h5py.File(folder / "linked.csd", "w") as opened:
        group = opened.create_group("any/data/v")
        group["intervals"] = np.array([[0.0, 1.0]])
        group["features"] = h5py.ExternalLink("/etc/hostname", "/x")


def pickled_weights(mark: Path) -> bytes:
    """What ``torch.save`` makes of a payload: the content of a checkpoint that lies."""
    buffer = io.BytesIO()
    torch.save({"weights": Payload(mark)}, buffer)
    return buffer.getvalue()


def poison_parquet(file: Path, mark: Path) -> None:
    """Say in a Parquet file that a column is of a pickled Python type, as old Arrow allowed."""
    table = pq.read_table(file)
    place = table.schema.get_field_index("utterance")
    extension = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(Payload(mark)),
    }
    field = table.schema.field(place).with_metadata(extension)
    fields = [field if i == place else own for i, own in enumerate(table.schema)]
    schema = pa.schema(fields, metadata=table.schema.metadata)
    pq.write_table(table.cast(schema), file)
