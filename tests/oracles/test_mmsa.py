"""Our reader of MMSA's pickles beside MMSA's own, and what MMSA alters before its models see it.

``AMB_MMSA_PYTHON`` names a Python interpreter that has MMSA 2.2.1; without it the tests skip.
"""

import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

from amb.data.formats.mmsa import read_mmsa
from amb.data.store import Store
from amb.data.store_writer import write_store
from amb.errors import InputError

SPLITS = ("train", "valid", "test")
KEYS = {"audio": "audio", "visual": "vision"}
OPTIONS = {"dataset": "other", "file": "data.pkl", "modalities": list(KEYS)}
LENGTHS = {"audio": [9, 4, 1, 7], "vision": [2, 6, 5, 1]}
LONGEST = {"audio": 9, "vision": 6}
N = 4

# Models of MMSA by what its configurations ask the loader for.
UNALIGNED, ALIGNED, AVERAGED = "self_mm", "bert_mag", "tfn"


@pytest.fixture(scope="module")
def mmsa_items(tmp_path_factory):
    """Return what MMSA hands to a model: arrays by key, all splits in a row."""
    python = os.environ.get("AMB_MMSA_PYTHON")
    if not python:
        pytest.skip("AMB_MMSA_PYTHON names no interpreter that has MMSA")
    script = Path(__file__).with_name("mmsa_items.py")

    def run(file, model):
        out = tmp_path_factory.mktemp("mmsa") / "items.npz"
        command = [python, "-I", str(script), str(file), str(out), model]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        with np.load(out) as items:
            keys = [name.removeprefix("train.") for name in items if name.startswith("train.")]
            return {key: np.concatenate([items[f"{s}.{key}"] for s in SPLITS]) for key in keys}

    return run


def generated(aligned=False):
    """Return a pickle's content: padded at the end, the first text longer than ``text_bert``."""
    rng = np.random.default_rng(11)
    content = {}
    for split in SPLITS:
        content[split] = own = {
            "id": [f"{split}-v$_${k}" for k in range(N)],
            "raw_text": ["so " * 70 + "long", "it's  fine", "NO", "a film, Ünd so"],
            "text_bert": rng.integers(0, 30522, (N, 3, 50)).astype(np.float32),
            "text": rng.standard_normal((N, 50, 8)).astype(np.float32),
            "regression_labels": rng.uniform(-3, 3, N),
            "annotations": ["Positive"] * N,
        }
        for key, d in (("audio", 5), ("vision", 3)):
            T = 50 if aligned else LONGEST[key]
            own[key] = rng.standard_normal((N, T, d))
            for row, length in enumerate(LENGTHS[key]):
                own[key][row, length:] = 0
            if not aligned:
                own[f"{key}_lengths"] = LENGTHS[key]
    return content


def written(folder, content):
    (folder / "data.pkl").write_bytes(pickle.dumps(content))
    return folder / "data.pkl"


def assert_same_items(ours, theirs):
    """Compare ids, texts, labels and frames; what MMSA has beyond our frames must be padding."""
    assert ours.utterances["id"].tolist() == theirs["id"].tolist()
    assert ours.utterances["text"].tolist() == theirs["raw_text"].tolist()
    np.testing.assert_array_equal(ours.labels["label"], theirs["labels"])
    for modality, key in KEYS.items():
        sequences = ours.features[modality]
        assert len(sequences) == len(theirs[key])
        for row, block in enumerate(theirs[key]):
            length = sequences.lengths[row]
            np.testing.assert_array_equal(sequences[row], block[:length])
            assert not block[length:].any()


def test_unaligned_items_equal_those_of_mmsa(mmsa_items, tmp_path):
    theirs = mmsa_items(written(tmp_path, generated()), UNALIGNED)
    ours = read_mmsa(OPTIONS, tmp_path)
    assert_same_items(ours, theirs)
    for modality, key in KEYS.items():
        assert ours.features[modality].lengths.tolist() == theirs[f"{key}_lengths"].tolist()


def test_aligned_items_equal_those_of_mmsa_without_the_padding(mmsa_items, tmp_path):
    content = generated(aligned=True)
    content["test"]["audio"][0, 0] = 0  # a first frame of zeros is kept
    theirs = mmsa_items(written(tmp_path, content), ALIGNED)
    ours = read_mmsa(OPTIONS, tmp_path)
    assert_same_items(ours, theirs)
    for modality, key in KEYS.items():
        assert ours.features[modality].lengths.tolist() == LENGTHS[key] * 3
        assert theirs[key].shape[1] == 50


def test_the_real_items_equal_those_of_mmsa(mmsa_items, tmp_path, real_data):
    options = {**OPTIONS, "dataset": "mosi", "file": "mosi/utterance_level_mmsa.pkl"}
    with (real_data / options["file"]).open("rb") as handle:
        content = pickle.load(handle)
    for split in content.values():  # MMSA reads no file without it; its values are not compared
        split["text_bert"] = np.zeros((len(split["id"]), 3, 50), np.float32)
    theirs = mmsa_items(written(tmp_path, content), UNALIGNED)
    assert len(theirs["id"]) == 2199
    assert_same_items(read_mmsa(options, real_data), theirs)


def test_mmsa_needs_text_vectors_and_lengths_and_we_do_not(mmsa_items, tmp_path):
    for missing in ("text_bert", "audio_lengths"):
        content = generated()
        for split in content.values():
            del split[missing]
        file = written(tmp_path, content)
        with pytest.raises(RuntimeError, match=f"KeyError: '{missing}'"):
            mmsa_items(file, UNALIGNED)
        assert read_mmsa(OPTIONS, tmp_path).features["audio"].lengths.tolist() == (
            LENGTHS["audio"] * 3
        )


def test_mmsa_hands_no_lengths_to_models_of_aligned_data(mmsa_items, tmp_path):
    theirs = mmsa_items(written(tmp_path, generated()), ALIGNED)
    assert "audio_lengths" not in theirs
    assert "vision_lengths" not in theirs
    assert_same_items(read_mmsa(OPTIONS, tmp_path), theirs)


def test_mmsa_normalises_by_the_mean_over_all_frames_padding_included(mmsa_items, tmp_path):
    theirs = mmsa_items(written(tmp_path, generated()), AVERAGED)
    ours = read_mmsa(OPTIONS, tmp_path)
    for modality, key in KEYS.items():
        sums = [ours.features[modality][row].sum(axis=0) for row in range(3 * N)]
        expected = np.array(sums)[:, None] / LONGEST[key]
        np.testing.assert_allclose(theirs[key], expected, rtol=1e-5, atol=1e-6)
        assert theirs[f"{key}_lengths"].tolist() == LENGTHS[key] * 3  # though one frame is left


def nonfinite():
    """Return content with one NaN, +inf and −inf in each modality of the first test row."""
    content = generated()
    for key in KEYS.values():
        content["test"][key][0, 0, :3] = np.nan, np.inf, -np.inf
    return content


def test_mmsa_sets_minus_infinity_in_audio_to_0_and_we_all_that_is_not_finite(mmsa_items, tmp_path):
    theirs = mmsa_items(written(tmp_path, nonfinite()), UNALIGNED)
    row = 2 * N
    np.testing.assert_array_equal(theirs["audio"][row, 0, :3], [np.nan, np.inf, 0])
    np.testing.assert_array_equal(theirs["vision"][row, 0, :3], [np.nan, np.inf, -np.inf])
    ours = read_mmsa(OPTIONS, tmp_path)
    write_store(tmp_path / "store", ours)
    store = Store.open(tmp_path / "store")
    for modality, key in KEYS.items():
        read, stored = ours.features[modality], store.features(modality)
        np.testing.assert_array_equal(read[row][0, :3], [np.nan, np.inf, -np.inf])
        for place in range(len(read)):
            block = np.nan_to_num(theirs[key][place], nan=0, posinf=0, neginf=0)
            np.testing.assert_array_equal(stored[place], block[: stored.lengths[place]])


def test_mmsa_sets_a_feature_whose_mean_is_nan_to_0_and_keeps_infinite_means(mmsa_items, tmp_path):
    theirs = mmsa_items(written(tmp_path, nonfinite()), AVERAGED)
    ours = read_mmsa(OPTIONS, tmp_path)
    row = 2 * N
    without = ours.features["audio"][row][1:, 2].sum() / LONGEST["audio"]
    np.testing.assert_allclose(theirs["audio"][row, 0, :3], [0, np.inf, without], rtol=1e-5)
    np.testing.assert_array_equal(theirs["vision"][row, 0, :3], [0, np.inf, -np.inf])


def test_mmsa_hands_on_a_length_of_0_that_we_refuse(mmsa_items, tmp_path):
    content = generated()
    content["valid"]["audio_lengths"] = [9, 4, 0, 7]
    theirs = mmsa_items(written(tmp_path, content), UNALIGNED)
    assert theirs["audio_lengths"].tolist()[N : 2 * N] == [9, 4, 0, 7]
    with pytest.raises(InputError, match=r"valid.audio_lengths\[2\]: found 0, expected 1 to 9"):
        read_mmsa(OPTIONS, tmp_path)


def test_mmsa_hands_on_frames_beyond_the_length_that_we_drop(mmsa_items, tmp_path):
    content = generated()
    content["train"]["audio"][1, 4:] = 5
    theirs = mmsa_items(written(tmp_path, content), UNALIGNED)
    ours = read_mmsa(OPTIONS, tmp_path)
    assert (theirs["audio"][1, 4:] == 5).all()
    np.testing.assert_array_equal(ours.features["audio"][1], theirs["audio"][1, :4])
