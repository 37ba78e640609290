"""Predictions of a whole split.

Notation: K seeds, U utterances of the split.
"""

from __future__ import annotations

import torch
from torch import Tensor

from amb.data.batches import SplitData
from amb.model.method import SentimentModel

BATCH = 256


def predict(model: SentimentModel, data: SplitData) -> Tensor:
    """Predict a split in evaluation mode: (U,) float32, in the split's order."""
    model.eval()
    predictions = torch.empty(len(data), device=data.token_ids.values.device)
    with torch.inference_mode():
        for rows, batch in data.batches(data.by_length(), BATCH):
            predictions[rows] = model(batch).float()
    return predictions


def mean_absolute_error(model: SentimentModel, data: SplitData) -> float:
    """Return the MAE of a labelled split."""
    assert data.labels is not None, "a split without labels cannot be scored here"
    return float((predict(model, data) - data.labels).abs().mean())
