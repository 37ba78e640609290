"""The mean predictor: every utterance gets the mean of the training labels.

    ŷ = mean(y_train)

A control, not a method: it reads neither words nor features, so its result is known before it runs
(``amb controls`` checks it), and a method has to beat it. It minimises squared error among
constants; the best constant for MAE, the median, is what the range of other controls is built on.

Notation: B batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from amb.data.batches import Batch, SplitData
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options


class MeanPredictor(SentimentModel):
    """One number, fitted in closed form."""

    trains_by_gradient: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(1))

    def begin_training(self, train: SplitData) -> None:
        """Take the mean of the training labels."""
        assert train.labels is not None, "the mean is fitted on labels"
        with torch.no_grad():
            self.mean.fill_(train.labels.double().mean())

    def forward(self, batch: Batch) -> Tensor:
        """Predict the mean for each utterance: (B,)."""
        return self.mean.expand(len(batch.token_ids))


@dataclass(frozen=True)
class Options:
    """The row has no options."""


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> MeanPredictor:
    """Build the mean predictor, whatever the data have."""
    read_options(Options, options, "mean_predictor")
    return MeanPredictor()
