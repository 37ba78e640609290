"""A method's contract, tried on one small batch before training starts."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from amb.data.batches import SplitData
from amb.data.dataset import FRAME_MODALITIES, TEXT_STATES
from amb.data.frames import LazyFrames
from amb.data.token_cache import cached_tokens
from amb.errors import InputError
from amb.model.method import SentimentModel
from amb.training.run import Job, build_model, open_context

BATCH = 4


def check_method(job: Job) -> dict[str, Any]:
    """Build a method and run one batch forwards and backwards.

    Args:
        job: The method and its files.

    Returns:
        Its parameter counts, ``total`` and ``trainable``, and what it ``reads``: some of text,
        audio and visual.

    Raises:
        InputError: The output's shape is not (B,) or not finite, nothing is trainable, or a
            trainable parameter gets no gradient.
    """
    context = open_context(job)
    method = context.study.methods[job.method]
    model = build_model(job, method.seeds[0])
    data = context.splits["train"]
    rows = torch.arange(min(BATCH, len(data)))
    batch = data.batch(rows)
    where = f"method {job.method} (builder {method.builder})"
    model.begin_training(data)
    predictions = model(batch)
    if predictions.shape != rows.shape:
        raise InputError(where, "output shape", tuple(predictions.shape), f"({len(rows)},)")
    if not bool(torch.isfinite(predictions).all()):
        raise InputError(where, "output", predictions.tolist(), "finite numbers")
    if not any(p.requires_grad for p in model.parameters()):
        raise InputError(where, "trainable parameters", 0, "at least one")
    model.loss(batch).backward()
    silent = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    if silent:
        raise InputError(
            where, "parameters without a gradient", silent[:5], "a gradient for all that train"
        )
    return {**model.count_parameters(), "reads": modalities_read(model.eval(), data, rows)}


def modalities_read(model: SentimentModel, data: SplitData, rows: Tensor) -> list[str]:
    """Find out which modalities a model reads: features that it asks for, words that matter.

    Args:
        model: In evaluation mode.
        data: A split.
        rows: Utterances to try it on (B,).

    Returns:
        Some of text, audio and visual, in this order; precomputed token states count as text.
    """
    batch = data.batch(rows)
    frames = LazyFrames(data.frames, rows)
    one_word = batch.token_ids.max()  # in place of every word-piece of a word
    other_words = torch.where(batch.word_index >= 0, one_word, batch.token_ids)
    with torch.inference_mode():
        as_it_is = model(dataclasses.replace(batch, frames=frames))
        rewritten = model(dataclasses.replace(batch, token_ids=other_words))
    asked = {"text" if m == TEXT_STATES else m for m in frames.collected}
    if not torch.equal(as_it_is, rewritten):
        asked.add("text")
    return [m for m in ("text", *FRAME_MODALITIES) if m in asked]


def describe_texts(job: Job) -> str:
    """Return one line on how the texts went into word-pieces: cut ones, words without a piece.

    Args:
        job: A method of the study and its files.

    Returns:
        The line.
    """
    context = open_context(job)
    max_pieces = context.study.data["max_pieces"]
    tokens = cached_tokens(context.store, job.backbone, max_pieces)
    texts = len(tokens.offsets) - 1
    return (
        f"{tokens.cut} of {texts} texts are cut at {max_pieces} word-pieces;"
        f" {tokens.silent} words have no word-piece"
    )
