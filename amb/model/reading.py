"""What a model reads of its data, found out by showing it some."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from amb.data.batches import SplitData
from amb.data.dataset import FRAME_MODALITIES, TEXT_STATES
from amb.data.frames import LazyFrames
from amb.model.method import SentimentModel


def features_read(model: SentimentModel, data: SplitData, rows: Tensor) -> frozenset[str]:
    """Return the modalities whose features a model asks for.

    Args:
        model: In evaluation mode.
        data: A split.
        rows: Utterances to try it on (B,).

    Returns:
        Some of audio, visual and text_states.
    """
    frames = LazyFrames(data.frames, rows)
    with torch.inference_mode():
        model(dataclasses.replace(data.batch(rows), frames=frames))
    return frames.collected


def modalities_read(model: SentimentModel, data: SplitData, rows: Tensor) -> list[str]:
    """Return which modalities a model reads: features that it asks for, words that matter.

    Args:
        model: In evaluation mode.
        data: A split.
        rows: Utterances to try it on (B,).

    Returns:
        Some of text, audio and visual, in this order; precomputed token states count as text.
    """
    read = {"text" if m == TEXT_STATES else m for m in features_read(model, data, rows)}
    batch = data.batch(rows)
    one_word = batch.token_ids.max()  # in place of every word-piece of a word
    other_words = torch.where(batch.word_index >= 0, one_word, batch.token_ids)
    with torch.inference_mode():
        rewritten = model(dataclasses.replace(batch, token_ids=other_words))
        if not torch.equal(model(batch), rewritten):
            read.add("text")
    return [m for m in ("text", *FRAME_MODALITIES) if m in read]
