"""Controls: the data of a row deprived of one thing, so that its result lies in a known range.

``shuffled_audio``, ``shuffled_visual`` and ``shuffled_text`` give every utterance the audio, visual
features or text of another utterance of its split, in all three splits: what a method still gains
from them, it does not gain from what they say about the utterance. ``permuted_labels`` gives the
utterances of train and of valid each other's labels; the test split, whose labels are in another
file, stays as it is.

Who gets whose: the utterances of a split are put on a ring in the order of a hash of the split's
name and their id, and each gets what belongs to the next. So nobody keeps their own, every method,
seed and batch meets the same partners, and no generator is involved. An only utterance keeps its
own.

The features' own scaling goes with them. Where the data have one frame a word, borrowed frames are
resampled to the utterance's words (frame ⌊k · n_partner / n_own⌋ for word k), and own frames to the
words of borrowed text. Precomputed token states are text, and go with it.

Notation: U utterances of a split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from amb.data.batches import SplitData
from amb.data.dataset import TEXT_STATES
from amb.errors import InputError

SHUFFLED = "shuffled_"


def apply_control(
    splits: Mapping[str, SplitData],
    control: str | None,
    word_aligned: Mapping[str, bool],
    has_text: bool,
) -> dict[str, SplitData]:
    """Deprive all splits of what a control says.

    Args:
        splits: The splits by name.
        control: ``shuffled_audio``, ``shuffled_visual``, ``shuffled_text``, ``permuted_labels``,
            or None for the splits as they are.
        word_aligned: By modality, whether there is one frame a word.
        has_text: Whether the utterances have text.

    Returns:
        The splits by name; no feature is copied.

    Raises:
        InputError: The data do not have what is to be shuffled.
    """
    if control is None:
        return dict(splits)
    if control.startswith(SHUFFLED):
        _require(control, word_aligned, has_text)
    return {
        name: _controlled(data, control, partners(name, data.utterances), word_aligned)
        for name, data in splits.items()
    }


def partners(split: str, utterances: Sequence[str]) -> Tensor:
    """Return whose things each utterance gets, as rows of the split: (U,) int64.

    Args:
        split: Name of the split.
        utterances: Ids of its U utterances.

    Returns:
        A permutation without a fixed point; of one utterance, the identity.
    """
    ring = sorted(range(len(utterances)), key=lambda row: _hash(f"{split}/{utterances[row]}"))
    order = torch.tensor(ring, dtype=torch.int64)
    partner = torch.empty_like(order)
    partner[order] = order.roll(-1)
    return partner


def _controlled(
    data: SplitData, control: str, partner: Tensor, word_aligned: Mapping[str, bool]
) -> SplitData:
    if control == "permuted_labels":
        return replace(data, labels=None if data.labels is None else data.labels[partner])
    if control == "shuffled_text":
        return _with_text_of(data, partner, word_aligned)
    modality = control.removeprefix(SHUFFLED)
    own = data.frames[modality]
    borrowed = own.take(partner)
    if word_aligned[modality]:
        borrowed = borrowed.resampled(own.raw.lengths)
    return replace(data, frames={**data.frames, modality: borrowed})


def _with_text_of(data: SplitData, partner: Tensor, word_aligned: Mapping[str, bool]) -> SplitData:
    frames = dict(data.frames)
    for modality, own in data.frames.items():
        if modality == TEXT_STATES:
            frames[modality] = own.take(partner)
        elif word_aligned[modality]:  # as many frames as the partner has words
            frames[modality] = own.resampled(own.raw.lengths[partner])
    return replace(
        data,
        token_ids=data.token_ids.take(partner),
        word_index=data.word_index.take(partner),
        frames=frames,
    )


def _require(control: str, word_aligned: Mapping[str, bool], has_text: bool) -> None:
    """Refuse to shuffle what the data do not have."""
    found = [*(["text"] if has_text or TEXT_STATES in word_aligned else []), *word_aligned]
    wanted = control.removeprefix(SHUFFLED)
    if wanted not in found:
        raise InputError(
            "store", "modalities", ", ".join(found), f"{wanted} for the control {control}"
        )


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
