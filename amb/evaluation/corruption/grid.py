"""Predictions of one frozen model at every point of a grid.

Notation: U utterances of the test split.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from amb.data.batches import SplitData
from amb.data.dataset import TEXT_STATES
from amb.errors import InputError
from amb.evaluation.corruption.encoders import (
    EmbeddingNoise,
    embedding_rms,
    encoders_of,
    without_memory,
)
from amb.evaluation.corruption.fields import FieldKey
from amb.evaluation.corruption.frames import FeatureUnit
from amb.evaluation.corruption.inputs import TEXT, InputCorruption, NotApplicableError
from amb.evaluation.corruption.points import Condition, GridPoint
from amb.evaluation.corruption.split import CorruptedSplit
from amb.evaluation.corruption.words import mask_token_id
from amb.model.method import SentimentModel
from amb.training.predict import predict
from amb.training.run import Context


@dataclass(frozen=True)
class CorruptionScales:
    """In what corruptions are counted: the same for every method and seed of a study.

    Attributes:
        units: Mean and standard deviation of features, by modality.
        mask_id: Id of the mask token; -1 where there are no words.
        embedding_rms: Root mean square of the pretrained word embeddings.
        hidden_size: Their width.
    """

    units: dict[str, FeatureUnit]
    mask_id: int
    embedding_rms: float
    hidden_size: int

    @classmethod
    def of(cls, context: Context) -> CorruptionScales:
        """Read them off a job's store and backbone."""
        store, normalisation = context.store, context.study.data["normalisation"]
        return cls(
            {m: FeatureUnit.of(store, m, normalisation, context.device) for m in store.modalities},
            mask_token_id(context.backbone.folder) if store.has_text else -1,
            embedding_rms(context.backbone),
            context.backbone.shape.hidden_size,
        )


def require_targets(points: Sequence[GridPoint], context: Context) -> None:
    """Refuse a grid that corrupts what the data do not have.

    Args:
        points: The grid's points.
        context: A job's files.

    Raises:
        InputError: The store lacks a modality, or words where words are corrupted.
    """
    store = context.store
    found = {*store.modalities, *([TEXT] if store.has_text else [])}
    for condition in dict.fromkeys(point.condition for point in points):
        for modality in condition.modalities:
            states = condition.kind == "missing" and modality == TEXT and TEXT_STATES in found
            if modality not in found and not states:
                allowed = f"{modality} for the corruption {condition.kind}"
                raise InputError(store.path, "modalities", ", ".join(sorted(found)), allowed)


def predict_clean(model: SentimentModel, splits: dict[str, SplitData]) -> Tensor:
    """Predict the clean test split, to the bits of ``amb evaluate``: (U,).

    A frozen encoder's memory holds a text's states as the batch had them in which it was first
    met, so the texts of the other splits are read first, as there.
    """
    if any(encoder.memory is not None for encoder in encoders_of(model)):
        predict(model, splits["train"])
        predict(model, splits["valid"])
    return predict(model, splits["test"])


def predict_corrupted(
    model: SentimentModel, test: SplitData, point: GridPoint, scales: CorruptionScales
) -> Tensor:
    """Predict the test split at one point above level 0.

    Args:
        model: A frozen model.
        test: The clean test split.
        point: The point.
        scales: In what corruptions are counted.

    Returns:
        (U,) float32.

    Raises:
        NotApplicableError: The corruption cannot reach what the model reads.
    """
    condition = point.condition
    key = FieldKey(condition.kind, TEXT, point.draw)
    noise = EmbeddingNoise(key, condition.level * scales.embedding_rms, scales.hidden_size)
    corruption = InputCorruption(point, scales.units, scales.mask_id, noise)
    altered: AbstractContextManager[None] = nullcontext()
    if condition.kind == "embedding_noise":
        if not encoders_of(model):
            raise NotApplicableError("has no word embeddings")
        altered = noise.on(model)
    elif condition.changes_words:
        altered = without_memory(model)
    with altered:
        return predict(model, CorruptedSplit.of(test, corruption))


def predict_grid(
    model: SentimentModel,
    splits: dict[str, SplitData],
    points: Sequence[GridPoint],
    scales: CorruptionScales,
) -> tuple[dict[GridPoint, Tensor], dict[Condition, str]]:
    """Predict the test split at every point of a grid.

    Args:
        model: A frozen model.
        splits: The clean splits.
        points: The grid's points.
        scales: In what corruptions are counted.

    Returns:
        (U,) predictions by point, and for conditions that are not applicable why not.
    """
    clean = predict_clean(model, splits)
    found: dict[GridPoint, Tensor] = {}
    skipped: dict[Condition, str] = {}
    for point in points:
        if point.condition in skipped:
            continue
        try:
            at_zero = point.condition.level == 0
            predicted = (
                clean if at_zero else predict_corrupted(model, splits["test"], point, scales)
            )
        except NotApplicableError as reason:
            skipped[point.condition] = str(reason)
        else:
            if not bool(torch.isfinite(predicted).all()):
                raise InputError(
                    "corruption", point.name, "a prediction that is not finite", "finite"
                )
            found[point] = predicted
    return found, skipped
