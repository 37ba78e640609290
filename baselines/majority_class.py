"""The majority class: every utterance gets the most frequent of the seven classes of training.

    ŷ = argmax_c #{ i ∈ train : round(clip(y_i, ±3)) = c },   c ∈ {−3, …, 3}

A control, not a method: it reads neither words nor features, its result is known before it runs
(``amb controls`` checks it), and an accuracy means something only beside it. Rounding is
half-to-even, as in Acc-7. Of equally frequent classes the one nearest to 0 counts, then the
negative one.

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

CLASSES = (0, -1, 1, -2, 2, -3, 3)  # of equally frequent ones the first counts


class MajorityClass(SentimentModel):
    """One number, fitted in closed form."""

    trains_by_gradient: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.majority = nn.Parameter(torch.zeros(1))

    def begin_training(self, train: SplitData) -> None:
        """Take the most frequent class of the training labels."""
        assert train.labels is not None, "the majority is fitted on labels"
        binned = train.labels.clamp(-3, 3).round()
        counts = {value: int((binned == value).sum()) for value in CLASSES}
        with torch.no_grad():
            self.majority.fill_(max(counts, key=counts.__getitem__))

    def forward(self, batch: Batch) -> Tensor:
        """Predict the majority class for each utterance: (B,)."""
        return self.majority.expand(len(batch.token_ids))


@dataclass(frozen=True)
class Options:
    """The row has no options."""


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> MajorityClass:
    """Build the majority class, whatever the data have."""
    read_options(Options, options, "majority_class")
    return MajorityClass()
