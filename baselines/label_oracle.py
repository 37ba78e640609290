"""The label oracle: every utterance gets its own label.

    ŷ_i = w · y_i,   w = 1

A control, not a method: its errors are 0 and its accuracies 1, unless labels and predictions are
mixed up between the store, the prediction files and the metrics (``amb controls`` checks it). It is
the one row that is shown the labels of the test split, and only when its predictions are made; see
``reads_labels`` in ``amb/model/method.py``.

Notation: B batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options


class LabelOracle(SentimentModel):
    """The label times a weight of 1, so that there is a checkpoint as for any other row."""

    trains_by_gradient: ClassVar[bool] = False
    reads_labels: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, batch: Batch) -> Tensor:
        """Predict the label of each utterance: (B,)."""
        assert batch.labels is not None, "the oracle has to be shown the labels"
        return self.weight * batch.labels


@dataclass(frozen=True)
class Options:
    """The row has no options."""


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> LabelOracle:
    """Build the oracle, whatever the data have."""
    read_options(Options, options, "label_oracle")
    return LabelOracle()
