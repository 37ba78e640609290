"""Controls take one thing from a split, the same for everybody, and leave the rest alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from amb.data.batches import SplitData
from amb.data.controls import apply_control, partners
from amb.data.frames import ScaledFrames
from amb.data.normalisation import Scaling
from amb.data.ragged import Ragged
from amb.data.ragged_tensor import RaggedTensor
from amb.errors import InputError

WORDS = [3, 1, 4, 2, 5]  # words of each utterance; a text has as many pieces, and two more
IDS = [f"v{row // 2}[{row}]" for row in range(len(WORDS))]
ALIGNED = {"audio": True, "visual": False, "text_states": True}
CONTROLS = ("shuffled_audio", "shuffled_visual", "shuffled_text", "permuted_labels")


def split_of(ids=IDS, words=WORDS, labelled=True):
    """A split whose numbers say whose they are: utterance r has values r + k / 100 at place k."""
    places = [np.arange(n)[:, None] / 100 + row for row, n in enumerate(words)]
    aligned = Ragged.from_sequences([place.astype(np.float32) for place in places])
    loose = Ragged.from_sequences([np.full((6 - row % 3, 1), row, "f4") for row in range(len(ids))])
    rows = np.arange(len(ids))
    scaling = Scaling(
        np.arange(len(ids), dtype=np.float32)[:, None], np.ones((len(ids), 1), np.float32), rows
    )
    pieces = Ragged.from_sequences([np.full((n + 2, 1), 10 * row) for row, n in enumerate(words)])
    tokens = RaggedTensor.select(pieces.values[:, 0].astype(np.int64), pieces.offsets, rows)
    index = [piece for n in words for piece in (-1, *range(n), -1)]
    word_index = dataclasses.replace(tokens, values=torch.tensor(index))
    frames = {
        "audio": ScaledFrames.select(aligned, None, rows),
        "visual": ScaledFrames.select(loose, scaling, rows),
        "text_states": ScaledFrames.select(aligned, None, rows),
    }
    labels = torch.arange(len(ids), dtype=torch.float32) if labelled else None
    return SplitData(list(ids), tokens, word_index, frames, labels)


@pytest.fixture
def splits():
    return {"train": split_of(), "valid": split_of(), "test": split_of(labelled=False)}


def controlled(splits, control):
    return apply_control(splits, control, ALIGNED, has_text=True)


def batch(data, rows=None):
    return data.batch(torch.arange(len(data)) if rows is None else torch.tensor(rows))


def differ(one, other):
    return not (torch.equal(one.mask, other.mask) and torch.equal(one.values, other.values))


@pytest.mark.parametrize("count", [2, 3, 7, 200])
def test_everybody_gets_what_is_another_s_and_everything_is_given(count):
    partner = partners("train", [f"v[{row}]" for row in range(count)]).tolist()
    assert sorted(partner) == list(range(count))
    assert all(row != other for row, other in enumerate(partner))


def test_an_only_utterance_keeps_its_own():
    assert partners("test", ["v[0]"]).tolist() == [0]
    assert partners("test", []).tolist() == []


def test_partners_follow_the_ids_and_not_their_order():
    ids = [f"v[{row}]" for row in range(9)]
    given = {ids[row]: ids[other] for row, other in enumerate(partners("train", ids).tolist())}
    turned = ids[::-1]
    again = {turned[row]: turned[other] for row, other in enumerate(partners("train", turned))}
    assert again == given
    assert partners("valid", ids).tolist() != partners("train", ids).tolist()


def test_without_a_control_the_splits_stay_as_they_are(splits):
    assert controlled(splits, None) == splits


@pytest.mark.parametrize("name", ["train", "valid", "test"])
def test_audio_is_the_partner_s_at_one_frame_a_word(splits, name):
    whole = batch(controlled(splits, "shuffled_audio")[name])
    partner = partners(name, IDS).tolist()
    audio = whole.frames["audio"]
    assert audio.mask.sum(1).tolist() == WORDS
    for row, words in enumerate(WORDS):
        whose = partner[row]
        expected = [whose + (k * WORDS[whose] // words) / 100 for k in range(words)]
        np.testing.assert_allclose(audio.values[row, :words, 0], expected, rtol=1e-6)
        assert (audio.values[row, words:] == 0).all()


def test_only_what_the_control_names_is_touched(splits):
    before = batch(splits["train"])
    for control in CONTROLS[:2]:
        after = batch(controlled(splits, control)["train"])
        assert torch.equal(after.token_ids, before.token_ids)
        assert torch.equal(after.labels, before.labels)
        changed = {m for m in before.frames if differ(before.frames[m], after.frames[m])}
        assert changed == {control.removeprefix("shuffled_")}


def test_visual_keeps_its_length_and_its_own_scaling(splits):
    # Utterance r is r everywhere with a mean of r: 0 if scaled by its own mean, else not.
    visual = batch(controlled(splits, "shuffled_visual")["train"]).frames["visual"]
    assert (visual.values == 0).all()
    lengths = splits["train"].frames["visual"].raw.lengths
    assert visual.mask.sum(1).tolist() == lengths[partners("train", IDS)].tolist()


def test_text_brings_its_states_and_aligned_frames_follow_its_words(splits):
    partner = partners("train", IDS)
    data = controlled(splits, "shuffled_text")["train"]
    after = batch(data)
    words = torch.tensor(WORDS)[partner]
    assert after.token_ids[:, 0].tolist() == (10 * partner).tolist()
    assert after.token_mask.sum(1).tolist() == (words + 2).tolist()
    assert after.word_index.max(1).values.tolist() == (words - 1).tolist()
    for modality in ("audio", "text_states"):
        assert after.frames[modality].mask.sum(1).tolist() == words.tolist()
    whose_audio = after.frames["audio"].values[:, 0, 0].floor()
    assert whose_audio.tolist() == list(range(len(WORDS)))
    assert after.frames["text_states"].values[:, 0, 0].floor().tolist() == partner.tolist()
    assert torch.equal(after.labels, batch(splits["train"]).labels)
    assert data.utterances == IDS
    assert torch.equal(data.by_length(), torch.argsort(words, stable=True))


@pytest.mark.parametrize("control", CONTROLS)
def test_an_utterance_looks_the_same_whatever_batch_it_is_in(splits, control):
    data = controlled(splits, control)["train"]
    together = batch(data)
    for row in range(len(data)):
        alone = batch(data, [row])
        n = int(alone.token_mask.sum())
        assert torch.equal(alone.token_ids[0], together.token_ids[row, :n])
        for modality, frames in alone.frames.items():
            shown = int(frames.mask.sum())
            assert torch.equal(frames.values[0], together.frames[modality].values[row, :shown])


def test_labels_are_permuted_in_train_and_valid_only(splits):
    data = controlled(splits, "permuted_labels")
    for name in ("train", "valid"):
        assert torch.equal(data[name].labels, splits[name].labels[partners(name, IDS)])
    assert data["test"] == splits["test"]
    assert data["train"].frames is splits["train"].frames


def test_no_feature_is_copied_and_own_values_follow_the_partners(splits):
    data = controlled(splits, "shuffled_audio")["train"].frames["audio"].raw
    assert data.values.data_ptr() == splits["train"].frames["audio"].raw.values.data_ptr()
    values, mask = data.pad(torch.arange(len(WORDS)))
    assert torch.equal(data.own_values(), values[mask])


def test_what_the_data_lack_cannot_be_shuffled(splits):
    with pytest.raises(InputError, match=r"found 'text, audio', expected visual for the control"):
        apply_control(splits, "shuffled_visual", {"audio": True}, has_text=True)
    with pytest.raises(InputError, match=r"found 'audio', expected text for the control"):
        apply_control(splits, "shuffled_text", {"audio": True}, has_text=False)


def test_an_only_utterance_is_left_as_it_is_by_every_control():
    splits = {"train": split_of(["v[0]"], [3])}
    before = batch(splits["train"])
    for control in CONTROLS:
        after = batch(controlled(splits, control)["train"])
        assert torch.equal(after.token_ids, before.token_ids)
        assert torch.equal(after.frames["audio"].values, before.frames["audio"].values)
