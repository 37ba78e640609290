"""Fully fine-tuned BERT with late fusion: the modalities meet just before the head.

    sentiment ← linear(dropout(ReLU(W·[pool(BERT(text)) ; mean(a) ; mean(v)])))

The audio-visual encoder is AMB's, so that the contrast with AMB's counterpart is about *where* the
modalities meet.

Reconstruction: the sizes; late fusion has no single source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amb.model.amb import AdaptedMultimodalBert, build_family, read_family
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape

NAME = "finetuned_late"


def build(
    options: Mapping[str, Any], backbone: Backbone, features: FeatureShape
) -> AdaptedMultimodalBert:
    """Build fine-tuned BERT, joined with the mean audio and visual states before the head.

    Args:
        options: Those of ``amb.model.amb.Options`` that the row does not fix.
        backbone: The prepared backbone.
        features: What the data have besides text.

    Returns:
        The model.

    Raises:
        InputError: An option is fixed, unknown or has no such value, or the data lack a modality.
    """
    settings = read_family(options, NAME, bert="finetuned", fusion="late")
    return build_family(settings, backbone, features, NAME)
