"""MulT's pickles with the words of a companion table."""

import pickle

import numpy as np
import pytest

from amb.data.contract import checked
from amb.data.formats.mult import read_mult
from amb.errors import InputError

SPLITS = ("train", "valid", "test")
OPTIONS = {
    "dataset": "other",
    "file": "data.pkl",
    "text": "text.csv",
    "modalities": ["audio", "visual", "text_states"],
}


def content(ids=None, **changes):
    """Two utterances a split, five frames: the first two of the second utterance are padding."""
    rng = np.random.default_rng(2)
    found = {}
    for split in SPLITS:
        blocks = {
            k: rng.random((2, 5, d)) + 1 for k, d in (("audio", 3), ("vision", 2), ("text", 4))
        }
        for block in blocks.values():
            block[1, :2] = 0
        blocks["audio"][1, 2] = 0  # a real frame: the others are not zero there
        names = ids(split) if ids else [f"{split}$_$1", f"{split}$_$2"]
        labels = np.array([1.5, -2.0]).reshape(2, 1, 1)
        found[split] = {**blocks, "labels": labels, "id": names, **changes}
    return found


def timed_ids(split):
    rows = [[split, "0.0", "2.5"], [split, "2.5", "7.0"]]
    return np.array(rows, dtype="S")


@pytest.fixture
def folder(tmp_path):
    rows = ["video_id,clip_id,text,start"]
    for split in SPLITS:
        rows += [f"{split},2,second one,2.5", f"{split},1,NA,0.0"]
    (tmp_path / "text.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(content()))
    return tmp_path


def test_words_are_joined_by_id_and_padding_at_the_front_is_taken_off(folder):
    data = checked(read_mult(OPTIONS, folder), "study")
    assert data.utterances["id"].tolist()[:2] == ["train$_$1", "train$_$2"]
    assert data.utterances["text"].tolist() == ["NA", "second one"] * 3
    assert data.labels["label"].tolist() == [1.5, -2.0] * 3
    expected = content()["valid"]
    for modality, key in (("audio", "audio"), ("visual", "vision"), ("text_states", "text")):
        assert data.features[modality].lengths.tolist() == [5, 3] * 3
        np.testing.assert_array_equal(data.features[modality][3], expected[key][1, 2:].astype("f4"))
    assert set(data.word_aligned.values()) == {False}


def test_words_are_joined_by_start_where_ids_are_times(folder):
    (folder / "data.pkl").write_bytes(pickle.dumps(content(timed_ids)))
    data = checked(read_mult(OPTIONS, folder), "study")
    assert data.utterances["text"].tolist() == ["NA", "second one"] * 3
    assert data.utterances["video"].tolist() == [s for s in SPLITS for _ in range(2)]
    assert data.utterances["id"].tolist()[1] == "train[2.500-7.000]"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ["a$_$1", "b$_$9"]}, r"text of a\$_\$1: found 'no row', expected video_id a"),
        ({"id": ["a", "b"]}, r"train.id: found 'a', expected video\$_\$clip or video\[k\]"),
        ({"labels": np.zeros((3, 1))}, r"train.labels: .*expected numbers with 1 axes, 2 long"),
        ({"audio": np.ones((2, 4, 3))}, "train: .*as many rows and frames in all modalities"),
        ({"vision": np.ones((2, 5))}, "train.vision: .*expected numbers with 3 axes"),
    ],
)
def test_what_does_not_fit_is_refused_by_place(folder, changes, message):
    (folder / "data.pkl").write_bytes(pickle.dumps(content(**changes)))
    with pytest.raises(InputError, match=message):
        read_mult(OPTIONS, folder)


def test_splits_with_different_numbers_of_features_are_refused(folder):
    changed = content()
    changed["test"]["audio"] = np.ones((2, 5, 7))
    (folder / "data.pkl").write_bytes(pickle.dumps(changed))
    with pytest.raises(InputError, match=r"test\.audio: features of a frame: found 7, expected 3"):
        read_mult(OPTIONS, folder)
