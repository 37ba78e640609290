"""What a caller gives is checked: the utterance, the field, what was found, what was expected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from amb import Utterance
from amb.errors import InputError
from amb.inference.config import FeatureConfig, ModelConfig
from amb.inference.utterances import check_utterances
from amb.study import BackboneSettings

WORDS = ["a", "good", "film"]


@pytest.fixture
def config():
    return ModelConfig(
        builder="amb",
        options={},
        backbone=BackboneSettings("minilm"),
        backbone_sha256="0" * 64,
        tokenizer_sha256="0" * 64,
        has_text=True,
        max_pieces=16,
        features={
            "audio": FeatureConfig(dimension=2, word_aligned=True, read=True),
            "visual": FeatureConfig(dimension=4, word_aligned=False, read=True),
        },
        normalisation="none",
        matmul_precision="medium",
        precision="float32",
        run={},
    )


@pytest.fixture
def good():
    return Utterance(WORDS, audio=np.ones((3, 2)), visual=np.ones((7, 4)))


def broken(value):
    array = np.ones((3, 2))
    array[1, 1] = value
    return array


def test_what_fits_becomes_float32(config, good):
    as_lists = replace(good, audio=[[1, 2], [3, 4], [5, 6]])
    checked = check_utterances([good, as_lists], config)
    assert checked.words == [WORDS, WORDS]
    assert {array.dtype for arrays in checked.features.values() for array in arrays} == {
        np.dtype("float32")
    }
    assert checked.features["audio"][1].tolist() == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audio": None}, r"audio: array: found None, expected an array \(frames, 2\)"),
        ({"audio": np.ones((3, 5))}, r"audio: shape: found \(3, 5\), expected an array .*, 2\)"),
        ({"audio": np.ones(3)}, r"audio: shape: found \(3,\)"),
        ({"audio": np.ones((2, 2))}, r"audio: frames: found 2, expected 3, one a word"),
        ({"audio": broken(np.nan)}, r"audio: frame 1, feature 1: found nan, expected a finite"),
        ({"audio": broken(-np.inf)}, r"audio: frame 1, feature 1: found -inf"),
        ({"audio": broken(1e300)}, r"audio: frame 1, feature 1: found 1e\+300"),
        ({"audio": [["x", "y"]] * 3}, r"audio: type: found '<U1', expected real numbers"),
        ({"audio": np.ones((3, 2)) * 1j}, r"audio: type: found 'complex128'"),
        ({"audio": [[1, 2], [3]]}, r"audio: array: found "),
        ({"visual": np.ones((0, 4))}, r"visual: frames: found 0, expected at least one"),
        ({"text_states": np.ones((3, 2))}, r"text_states: found 'ndarray', expected None: "),
        ({"words": None}, r"words, text: found 'neither', expected one of the two"),
        ({"text": "a good film"}, r"words, text: found \['words', 'text'\]"),
        ({"words": []}, r"words: found \[\], expected a list of words"),
        ({"words": ["a", " "]}, r"words: found \['a', ' '\], expected a list of words"),
        ({"words": ["a", 3]}, r"words: found \['a', 3\], expected a list of words"),
        ({"words": "a good film"}, r"words: found 'a good film', expected a list of words"),
        ({"words": None, "text": " "}, r"text: found ' ', expected text with at least one word"),
        ({"words": None, "text": 3}, r"text: found 3, expected text with at least one word"),
    ],
)
def test_what_does_not_fit_is_named(config, good, changes, message):
    with pytest.raises(InputError, match=f"^utterance 1:? ?{message}"):
        check_utterances([good, replace(good, **changes)], config)


def test_what_is_no_utterance_is_refused(config):
    with pytest.raises(InputError, match=r"utterance 0: type: found 'str', expected an Utterance"):
        check_utterances(["a good film"], config)


def test_words_are_refused_where_the_training_data_had_none(config, good):
    config = replace(config, has_text=False, features={"visual": config.features["visual"]})
    checked = check_utterances([Utterance(visual=np.ones((7, 4)))], config)
    assert checked.words == [[]]
    with pytest.raises(InputError, match=r"utterance 0: words: found .*, expected None: no text"):
        check_utterances([replace(good, audio=None)], config)


def test_features_that_the_model_does_not_read_are_not_needed(config, good):
    features = {m: replace(own, read=False) for m, own in config.features.items()}
    config = replace(config, features=features)
    assert check_utterances([good, Utterance(WORDS)], config).features == {}
