"""Fully fine-tuned BERT with AMB's layer-wise fusion: the *fine-tuned counterpart* of AMB.

The same audio-visual encoder, fusion layers and head; BERT trains in full and has no adapters.

Reconstruction: the abstract names "fine-tuned counterparts" without saying what they share with
AMB. Ours shares everything except freezing and adapters, so that the contrast is about these two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amb.model.amb import AdaptedMultimodalBert, build_fusion
from amb.model.backbone import Backbone
from amb.model.fusion import BOTTLENECK
from amb.model.method import FeatureShape, read_options


@dataclass(frozen=True)
class Options:
    """Options of the row: size of the fusion bottleneck."""

    fusion_bottleneck: int = BOTTLENECK


def build(
    options: Mapping[str, Any], backbone: Backbone, features: FeatureShape
) -> AdaptedMultimodalBert:
    """Build fine-tuned BERT with a fusion layer after every layer."""
    settings = read_options(Options, options, "finetuned_fusion")
    features.require_text("finetuned_fusion")
    features.require_any("finetuned_fusion")
    encoder = backbone.load(trainable=True)
    audiovisual, fusion = build_fusion(encoder, features, settings.fusion_bottleneck)
    return AdaptedMultimodalBert(
        encoder, backbone.settings.pooling, audiovisual=audiovisual, fusion=fusion
    )
