"""A method's contract, tried on one small batch before training starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from amb.data.batches import SplitData
from amb.data.token_cache import cached_tokens
from amb.model.reading import modalities_read
from amb.training.job import Job
from amb.training.run import build_model, is_complete, open_context
from amb.training.trial.accused import Accused
from amb.training.trial.labels import (
    require_blind,
    require_labels_unread,
    require_no_way_to_test_labels,
)
from amb.training.trial.learning import require_gradients, require_saved_state
from amb.training.trial.predictions import require_independence

# Odd: with as many predictions above as below their labels, the gradient of a bias would be 0.
BATCH = 7


def check_method(job: Job) -> dict[str, Any]:
    """Build a method and try it on one batch: predictions, independence, gradients, checkpoint.

    Args:
        job: The method and its files.

    Returns:
        Its parameter counts, ``total`` and ``trainable``, and what it ``reads``: some of text,
        audio and visual.

    Raises:
        InputError: It raises an error; its predictions are not (B,) finite float32, or depend on
            labels, on padding or on the rest of the batch; a trainable parameter gets no gradient;
            a checkpoint does not hold all that training changed; it could see labels of the test
            split.
    """
    context = open_context(job)
    row = context.study.methods[job.method]
    accused = Accused(job.method, row.builder)
    require_no_way_to_test_labels(accused)
    with accused.running("build", "a SentimentModel"):
        model = build_model(job, row.seeds[0])
    require_blind(accused, model)
    data = context.splits["train"]
    rows = rows_of_all_lengths(data)
    batch = data.batch(rows)
    with accused.running("begin_training", "a look at the training split"):
        model.begin_training(data)
    if not model.reads_labels:
        require_labels_unread(accused, model, batch)
    require_independence(accused, model.eval(), data, rows)
    reads = modalities_read(model, data, rows)
    require_gradients(accused, model.train(), batch, row.training)
    require_saved_state(accused, model, lambda: build_model(job, row.seeds[0] + 1), batch)
    return {**model.count_parameters(), "reads": reads}


def check_unless_complete(job: Job, seeds: Sequence[int]) -> None:
    """Try a method before the first of its runs trains.

    Args:
        job: The method and its files.
        seeds: Its runs; where all are complete, nothing is tried.

    Raises:
        InputError: As ``check_method``.
    """
    if not all(is_complete(job, seed) for seed in seeds):
        check_method(job)


def rows_of_all_lengths(data: SplitData) -> Tensor:
    """Return some utterances (B,), the shortest text first, so that their batch has padding."""
    ordered = data.by_length()
    places = torch.linspace(0, len(data) - 1, min(BATCH, len(data))).long()
    return ordered[places.to(ordered.device)]


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
