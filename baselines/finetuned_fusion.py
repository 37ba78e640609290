"""Fully fine-tuned BERT with AMB's layer-wise fusion: the *fine-tuned counterpart* of AMB.

The same audio-visual encoder, fusion layers and head; BERT trains in full and has no adapters.

Reconstruction: the abstract names "fine-tuned counterparts" without saying what they share with
AMB. Ours shares everything except freezing and adapters, so that the contrast is about these two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amb.model.amb import AdaptedMultimodalBert, build_family, read_family
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape

NAME = "finetuned_fusion"


def build(
    options: Mapping[str, Any], backbone: Backbone, features: FeatureShape
) -> AdaptedMultimodalBert:
    """Build fine-tuned BERT with a fusion layer after every layer, or as the options say.

    Args:
        options: Those of ``amb.model.amb.Options`` that the row does not fix.
        backbone: The prepared backbone.
        features: What the data have besides text.

    Returns:
        The model.

    Raises:
        InputError: An option is fixed, unknown or has no such value, or the data lack a modality.
    """
    settings = read_family(options, NAME, bert="finetuned")
    return build_family(settings, backbone, features, NAME)
