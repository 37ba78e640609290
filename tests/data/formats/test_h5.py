"""Arrays of HDF5, one a split and modality."""

import h5py
import numpy as np
import pytest

from amb.data.contract import checked
from amb.data.formats.h5 import read_h5
from amb.data.store import Store
from amb.data.store_writer import write_store
from amb.errors import InputError

SPLITS = ("train", "valid", "test")
OPTIONS = {
    "dataset": "other",
    "label_offset": -3,
    **{f"{s}_{part}": f"{part}_{s}.h5" for s in SPLITS for part in ("labels", "audio", "visual")},
}


def write(folder, name, values):
    with h5py.File(folder / name, "w") as opened:
        opened["d1"] = values


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(4)
    for split in SPLITS:
        write(tmp_path, f"labels_{split}.h5", np.array([1.0, 4.6]))
        for part, width in (("audio", 3), ("visual", 2)):
            values = rng.random((2, 6, width)) + 1
            values[0, 4:] = values[1, :1] = 0
            write(tmp_path, f"{part}_{split}.h5", values)
    return tmp_path


def test_arrays_become_a_store_without_text(folder, tmp_path):
    data = checked(read_h5(OPTIONS, folder), "study")
    assert not data.has_text
    assert data.utterances["id"].tolist()[:3] == ["train[0]", "train[1]", "valid[0]"]
    np.testing.assert_allclose(data.labels["label"], [-2, 1.6] * 3, rtol=1e-6)
    assert data.features["audio"].lengths.tolist() == [4, 5] * 3
    write_store(tmp_path / "store", data)
    store = Store.open(tmp_path / "store")
    assert not store.has_text
    with h5py.File(folder / "visual_test.h5") as opened:
        expected = opened["d1"][1, 1:].astype(np.float32)
    np.testing.assert_array_equal(store.features("visual")[5], expected)


def test_a_modality_that_a_split_lacks_is_refused(folder):
    options = {k: v for k, v in OPTIONS.items() if k != "train_visual"}
    with pytest.raises(InputError, match=r"train_visual: .*of every split, or of none"):
        read_h5(options, folder)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("audio_valid.h5", np.ones((3, 6, 3)), "audio_valid.h5: rows: found 3, expected 2"),
        ("audio_valid.h5", np.ones((2, 6, 4)), "audio_valid.h5: valid: features of a frame"),
        ("audio_valid.h5", np.ones((2, 6)), "audio_valid.h5: /d1: .*three axes"),
        ("visual_test.h5", np.ones((2, 7, 2)), "test: .*as many rows and frames"),
        ("labels_test.h5", np.array([b"a", b"b"]), "labels_test.h5: /d1: .*type"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_file(folder, name, values, message):
    (folder / name).unlink()
    write(folder, name, values)
    with pytest.raises(InputError, match=message):
        read_h5(OPTIONS, folder)


def test_real_ict_mmmo_has_its_published_sizes(real_data):
    name = {"labels": "y", "audio": "audio", "visual": "video"}
    options = {
        "dataset": "other",
        "label_offset": -3,
        **{f"{s}_{p}": f"ict_mmmo/{file}_{s}.h5" for s in SPLITS for p, file in name.items()},
    }
    data = checked(read_h5(options, real_data), "study")
    assert data.utterances["split"].value_counts().to_dict() == {
        "train": 220,
        "valid": 40,
        "test": 80,
    }
    assert data.labels["label"].between(-2, 2).all()
    with_text = {f"{s}_text_states": f"ict_mmmo/text_{s}_emb.h5" for s in ("valid", "test")}
    with pytest.raises(InputError, match=r"train_text_states: .*never sees in training"):
        read_h5({**options, **with_text}, real_data)
