"""Alignment to words against short references: MAG-BERT's word-pieces, the CMU SDK's averages."""

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoTokenizer, BertTokenizer

from amb.data.batches import Batch
from amb.data.formats.segments import mean_within_words
from amb.data.formats.word_tuples import parse_word_tuples
from amb.data.tokenisation import SPECIAL, tokenise
from amb.data.untrusted.pickles import load_pickle
from amb.model.alignment import WordAligned
from amb.model.packing import TokenLayout

TEXTS = [
    ["unwatchable", "film"],
    ["I", "DON'T", "naïvely", "(umm)", "re-watch", "3.5/10"],
    ["\u200b", "good", "\U0001f600"],  # the first word has no pieces, the last is unknown
    ["incomprehensibilities"] * 9,
]
SDK_EPSILON = 1e-5


def mag_rule(words, frames, tokenizer, max_pieces):
    """Repeat each word's frame over its pieces, zeros at [CLS] and [SEP], as MAG-BERT does."""
    pieces, inversions = [], []
    for place, word in enumerate(words):
        for piece in tokenizer.tokenize(word):
            pieces.append(piece)
            inversions.append(place)
    pieces, inversions = pieces[: max_pieces - 2], inversions[: max_pieces - 2]
    ids = tokenizer.convert_tokens_to_ids(["[CLS]", *pieces, "[SEP]"])
    zero = np.zeros((1, frames.shape[1]), dtype=frames.dtype)
    return ids, np.concatenate([zero, frames[np.array(inversions, dtype=int)], zero])


def our_rule(texts, frames, backbone, max_pieces):
    """Return the ids of all word-pieces, and the frames that fusion gives to them."""
    tokens = tokenise(texts, backbone, max_pieces)
    words = [torch.from_numpy(own) for own in np.split(tokens.word_index, tokens.offsets[1:-1])]
    mask = pad_sequence([torch.ones_like(own, dtype=torch.bool) for own in words], True)
    index = pad_sequence(words, True, SPECIAL)
    states = pad_sequence([torch.from_numpy(own) for own in frames], True)
    batch = Batch(torch.zeros_like(index), mask, index)
    picked = WordAligned("audio")(torch.zeros(0), states, batch, TokenLayout(mask))
    return tokens.token_ids, picked.numpy()


def assert_same_pieces(texts, frames, tokenizer, backbone, max_pieces):
    expected = [mag_rule(*own, tokenizer, max_pieces) for own in zip(texts, frames, strict=True)]
    ids, picked = our_rule(texts, frames, backbone, max_pieces)
    assert ids.tolist() == [piece for own, _ in expected for piece in own]
    np.testing.assert_array_equal(picked, np.concatenate([own for _, own in expected]))


@pytest.mark.parametrize("max_pieces", [128, 8])
def test_word_pieces_get_the_frame_of_their_word_as_in_mag_bert(tiny, max_pieces):
    rng = np.random.default_rng(2)
    frames = [rng.standard_normal((len(words), 3)).astype(np.float32) for words in TEXTS]
    tokenizer = AutoTokenizer.from_pretrained(tiny.checkpoint)
    assert_same_pieces(TEXTS, frames, tokenizer, tiny.backbone, max_pieces)


def test_real_words_and_frames_meet_as_in_mag_bert(tiny, real_data):
    # MAG-BERT's vocabulary is that of the prepared backbone.
    tokenizer = BertTokenizer(vocab=str(real_data / "vocab" / "vocab.txt"))
    assert tokenizer.vocab == AutoTokenizer.from_pretrained(tiny.checkpoint).vocab
    file = real_data / "mosi_misa" / "dev.pkl"
    utterances = parse_word_tuples(file, "list", load_pickle(file))
    assert len(utterances) == 229
    texts = [own.words for own in utterances]
    frames = [own.visual.astype(np.float32) for own in utterances]
    assert_same_pieces(texts, frames, tokenizer, tiny.backbone, 50)


def sdk_rule(frames, times, words):
    """Average, word by word, the frames that share more than 10 µs with it; NaN without any."""
    means = np.full((len(words), frames.shape[1]), np.nan)
    for row, (start, end) in enumerate(words):
        inside = [
            frame
            for frame, (first, last) in zip(frames, times, strict=True)
            if min(end, last) - max(start, first) > SDK_EPSILON
        ]
        if inside:
            with np.errstate(invalid="ignore"):
                means[row] = np.average(np.array(inside, dtype=np.float64), axis=0)
    return means


def random_intervals(rng, count, until, longest):
    start = rng.uniform(0, until, count)
    return np.stack([start, start + rng.uniform(0.001, longest, count)], axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_means_within_words_are_those_of_the_sdk(seed):
    rng = np.random.default_rng(seed)
    times = random_intervals(rng, 200, 8.0, 0.05)  # gaps and overlaps, in no order
    words = random_intervals(rng, 30, 10.0, 0.6)
    frames = rng.normal(3, 2, (200, 4)).astype(np.float32)
    frames[rng.integers(0, 200, 6), 0] = np.inf
    frames[rng.integers(0, 200, 6), 0] = -np.inf
    frames[rng.integers(0, 200, 6), 1] = np.nan
    expected = sdk_rule(frames, times, words)
    assert np.isnan(expected).all(axis=1).any()  # words without frames
    assert np.isinf(expected).any()
    np.testing.assert_allclose(mean_within_words(frames, times, words), expected, rtol=1e-6)


def test_frames_that_only_touch_a_word_do_not_count():
    times = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    frames = np.array([[1.0], [2.0], [4.0]], dtype=np.float32)
    words = np.array([[1.0, 2.0], [0.0, 2.0], [3.0, 4.0]])
    means = mean_within_words(frames, times, words)
    np.testing.assert_array_equal(means, [[2.0], [1.5], [np.nan]])
    np.testing.assert_array_equal(means, sdk_rule(frames, times, words))


def test_what_the_sdk_drops_as_too_short_we_keep():
    times = np.array([[0.0, 1.0], [1.0, 2.0]])
    frames = np.array([[1.0], [3.0]], dtype=np.float32)
    words = np.array([[0.5, 0.5], [0.5, 1.0 + SDK_EPSILON / 2]])  # no length; 5 µs of a frame
    assert mean_within_words(frames, times, words).tolist() == [[1.0], [2.0]]
    np.testing.assert_array_equal(sdk_rule(frames, times, words), [[np.nan], [1.0]])
