"""Fully fine-tuned BERT on text alone (Devlin et al. 2019, arXiv 1810.04805).

The control that every multimodal row has to beat: several published fused models do not (see the
field's issue trackers). Same head as AMB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amb.model.amb import AdaptedMultimodalBert
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape, read_options


@dataclass(frozen=True)
class Options:
    """This row has no options."""


def build(
    options: Mapping[str, Any], backbone: Backbone, features: FeatureShape
) -> AdaptedMultimodalBert:
    """Build fine-tuned BERT; audio and visual features are not read."""
    read_options(Options, options, "finetuned_text")
    features.require_text("finetuned_text")
    return AdaptedMultimodalBert(backbone.load(trainable=True), backbone.settings.pooling)
