"""A method's contract, tried on one small batch before training starts."""

from __future__ import annotations

from typing import Any

import torch

from amb.data.token_cache import cached_tokens
from amb.errors import InputError
from amb.model.reading import modalities_read
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
