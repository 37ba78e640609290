"""Readers of the field's pickles: generated files whole, malformed ones refused by place."""

import pickle

import numpy as np
import pytest

from amb.data.contract import checked
from amb.data.formats.mag import read_mag
from amb.data.formats.misa import read_misa
from amb.data.formats.mmsa import read_mmsa
from amb.errors import InputError

SPLITS = ("train", "valid", "test")
OPTIONS = {"dataset": "other", "file": "data.pkl", "modalities": ["audio", "visual"]}


def mmsa_content(**changes):
    """Return two utterances a split; the second has shorter sequences."""
    rng = np.random.default_rng(5)
    content = {}
    for split in SPLITS:
        audio = rng.random((2, 6, 3)).astype(np.float32) + 1
        vision = rng.random((2, 4, 2)) + 1
        audio[1, 4:] = 0
        vision[1, 1:] = 0
        content[split] = {
            "raw_text": ["what a film", "no"],
            "audio": audio,
            "vision": vision,
            "id": [f"{split}-a$_$1", f"{split}$_$b$_$12"],
            "regression_labels": np.array([1.5, -2.0]),
            "audio_lengths": [6, 4],
            "vision_lengths": np.array([4, 1]),
            **changes,
        }
    return content


def written(folder, content, name="data.pkl"):
    (folder / name).write_bytes(pickle.dumps(content))
    return folder


@pytest.mark.parametrize("kind", [list, np.array, lambda texts: np.array(texts, dtype=object)])
def test_an_mmsa_pickle_becomes_utterances_and_unpadded_sequences(tmp_path, kind):
    content = mmsa_content(raw_text=kind(["what a film", "no"]))
    data = checked(read_mmsa(OPTIONS, written(tmp_path, content)), "study")
    assert data.utterances["video"].tolist()[:2] == ["train-a", "train$_$b"]
    assert data.utterances["clip"].tolist()[:2] == ["1", "12"]
    assert data.utterances["words"].tolist()[0] == ["what", "a", "film"]
    assert data.labels["label"].tolist() == [1.5, -2.0] * 3
    assert data.word_aligned == {"audio": False, "visual": False}
    for modality, key, lengths in (("audio", "audio", [6, 4]), ("visual", "vision", [4, 1])):
        assert data.features[modality].lengths.tolist() == lengths * 3
        expected = content["test"][key][1, : lengths[1]].astype(np.float32)
        assert np.array_equal(data.features[modality][-1], expected)


def test_lengths_that_are_not_given_end_at_the_last_frame_that_is_not_zero(tmp_path):
    content = mmsa_content()
    for split in SPLITS:
        del content[split]["audio_lengths"], content[split]["vision_lengths"]
    content["test"]["audio"][0] = 0
    data = read_mmsa(OPTIONS, written(tmp_path, content))
    assert data.features["audio"].lengths.tolist() == [6, 4, 6, 4, 1, 4]
    assert data.features["visual"].lengths.tolist() == [4, 1] * 3
    assert data.repairs == {"audio_lengths_inferred": 4, "visual_lengths_inferred": 3}


def test_only_the_modalities_that_are_asked_for_are_read(tmp_path):
    content = mmsa_content(vision="not even an array")
    data = read_mmsa({**OPTIONS, "modalities": ["audio"]}, written(tmp_path, content))
    assert list(data.features) == ["audio"]


MALFORMED = {
    "no split": (lambda c: c.pop("valid"), r"content: found 'train, test', expected key valid"),
    "no labels": (
        lambda c: c["test"].pop("regression_labels"),
        r"test: found .*expected key regression_labels too",
    ),
    "ids of another form": (
        lambda c: c["train"].update(id=["a_1", "b_2"]),
        r"train.id: found 'a_1', expected video\$_\$clip",
    ),
    "text of another length": (
        lambda c: c["train"].update(raw_text=["one"]),
        r"train.raw_text: found '1 texts', expected a list of texts, 2 long",
    ),
    "text that is a number": (
        lambda c: c["train"].update(raw_text=["one", 2]),
        r"train.raw_text\[1\]: found 'int', expected text",
    ),
    "features of two axes": (
        lambda c: c["valid"].update(audio=np.ones((2, 3))),
        r"valid.audio: found 'float64 \(2, 3\)', expected numbers with 3 axes, 2 long",
    ),
    "a length beyond the block": (
        lambda c: c["test"].update(audio_lengths=[6, 7]),
        r"test.audio_lengths\[1\]: found 7, expected 1 to 6",
    ),
    "a split that is a list": (
        lambda c: c.update(train=[1]),
        r"train: found 'list', expected a dict with id",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_mmsa_pickles_are_refused_by_place(tmp_path, name):
    content = mmsa_content()
    change, message = MALFORMED[name]
    change(content)
    with pytest.raises(InputError, match=message):
        read_mmsa(OPTIONS, written(tmp_path, content))


def word_tuple(video, clip, words=("a", "film"), misa=True):
    L = len(words)
    rng = np.random.default_rng(clip)
    visual, acoustic = rng.random((L, 3)), rng.random((L, 2)).astype(np.float32)
    if misa:
        parts = (np.arange(L), visual, acoustic, list(words))
    else:
        parts = (list(words), visual, acoustic)
    segment = f"{video}[{clip}]" if misa else f"{video}_{clip}"
    return (parts, np.array([[1.5]], np.float32), segment)


def test_misa_pickles_become_word_aligned_utterances(tmp_path):
    for split in SPLITS:
        written(
            tmp_path, [word_tuple(f"{split}_v", 0), word_tuple(f"{split}_v", 1)], f"{split}.pkl"
        )
    options = {"dataset": "other", **{split: f"{split}.pkl" for split in SPLITS}}
    data = checked(read_misa(options, tmp_path), "study")
    assert data.utterances["split"].tolist() == ["train"] * 2 + ["valid"] * 2 + ["test"] * 2
    assert data.utterances.iloc[1][["id", "video", "clip", "text"]].tolist() == [
        "train_v[1]", "train_v", "1", "a film",
    ]  # fmt: skip
    assert data.word_aligned == {"audio": True, "visual": True}
    assert np.array_equal(data.features["audio"][1], word_tuple("train_v", 1)[0][2])
    assert data.features["visual"].dimension == 3


def test_one_misa_file_is_split_by_folds_and_every_video_must_be_in_one(tmp_path):
    written(tmp_path, [word_tuple(video, k) for video in "abc" for k in range(2)])
    folds = {"train": ["c"], "valid": ["a"], "test": ["b"]}
    data = read_misa({"dataset": "other", "file": "data.pkl", "folds": folds}, tmp_path)
    assert data.utterances["video"].tolist() == ["c", "c", "a", "a", "b", "b"]
    for broken, message in (
        ({**folds, "test": ["d"]}, r"folds: video b: found 'in no fold'"),
        ({**folds, "test": ["b", "d"]}, r"folds: video d: found 'not in the file'"),
    ):
        with pytest.raises(InputError, match=message):
            read_misa({"dataset": "other", "file": "data.pkl", "folds": broken}, tmp_path)


def test_a_mag_pickle_becomes_word_aligned_utterances(tmp_path):
    keys = ("train", "dev", "test")
    content = {key: [word_tuple(f"{key}-v_1", k, misa=False) for k in (3, 4)] for key in keys}
    data = checked(
        read_mag({"dataset": "other", "file": "data.pkl"}, written(tmp_path, content)), "s"
    )
    assert data.utterances["video"].tolist()[:2] == ["train-v_1", "train-v_1"]
    assert data.utterances["clip"].tolist()[:2] == ["3", "4"]
    assert data.utterances["split"].tolist() == ["train"] * 2 + ["valid"] * 2 + ["test"] * 2
    expected = word_tuple("dev-v_1", 3, misa=False)[0][1].astype(np.float32)
    assert np.array_equal(data.features["visual"][2], expected)


def test_tuples_of_another_form_are_refused_by_place(tmp_path):
    good = word_tuple("v", 0)
    short = (good[0][:2], *good[1:])
    frames = ((good[0][0], good[0][1][:1], *good[0][2:]), *good[1:])
    for item, message in (
        ("text", r"list\[1\]: found 'str', expected \(\(words, visual, acoustic\)"),
        (short, r"list\[1\]\[0\]: found '2 parts', expected 3 \(MAG-BERT\) or 4 \(MISA\)"),
        (frames, r"list\[1\] visual: found .*expected numbers with 2 axes, 2 long"),
        ((good[0], np.ones((2, 1)), "v[1]"), r"list\[1\] label: found 'ndarray', expected one num"),
        (
            (good[0], good[1], "nameless"),
            r"list\[1\] segment: found 'nameless', expected video\[k\]",
        ),
    ):
        written(tmp_path, [good, item])
        with pytest.raises(InputError, match=message):
            read_misa({"dataset": "other", "file": "data.pkl", "folds": {}}, tmp_path)


def test_the_real_word_aligned_file_is_read(real_data):
    folds = {"train": [], "valid": [], "test": []}
    options = {"dataset": "other", "file": "mosi_misa/dev.pkl", "folds": folds}
    with (real_data / options["file"]).open("rb") as handle:
        items = pickle.load(handle)
    videos = sorted({item[2].split("[")[0] for item in items})
    folds.update(train=videos[:6], valid=videos[6:8], test=videos[8:])
    data = checked(read_misa(options, real_data), "study")
    assert len(data.utterances) == 229
    assert (data.features["visual"].dimension, data.features["audio"].dimension) == (47, 74)
    places = {name: row for row, name in enumerate(data.utterances["id"])}
    for (_, visual, acoustic, words), label, segment in items[::7]:
        row = places[segment]
        assert data.utterances["words"][row] == words
        assert np.array_equal(data.features["visual"][row], visual.astype(np.float32))
        assert np.array_equal(data.features["audio"][row], acoustic.astype(np.float32))
        assert data.labels["label"][row] == np.float32(label.item())


def test_the_real_mmsa_layout_is_read_without_its_leaky_vision(real_data):
    options = {
        "dataset": "mosi",
        "file": "mosi/utterance_level_mmsa.pkl",
        "modalities": ["audio"],
    }
    data = checked(read_mmsa(options, real_data), "study")
    assert data.facts["release"].startswith("standard")
    assert data.features["audio"].dimension == 73
    assert set(data.features["audio"].lengths) == {1}


def test_padding_in_front_is_refused_where_lengths_are_given(tmp_path):
    content = mmsa_content()
    content["valid"]["audio"] = content["valid"]["audio"][:, ::-1].copy()
    with pytest.raises(InputError, match=r"valid\.audio\[1\]: found 'zeros in front'"):
        read_mmsa(OPTIONS, written(tmp_path, content))
