"""Fully fine-tuned BERT on text alone (Devlin et al. 2019, arXiv 1810.04805).

The control that every multimodal row has to beat: several published fused models do not (see the
field's issue trackers). Same head as AMB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amb.model.amb import AdaptedMultimodalBert, build_family, read_family
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape

NAME = "finetuned_text"


def build(
    options: Mapping[str, Any], backbone: Backbone, features: FeatureShape
) -> AdaptedMultimodalBert:
    """Build fine-tuned BERT; audio and visual features are not read.

    Args:
        options: Those of ``amb.model.amb.Options`` that the row does not fix.
        backbone: The prepared backbone.
        features: What the data have besides text.

    Returns:
        The model.

    Raises:
        InputError: An option is fixed, unknown or has no such value, or the data lack a modality.
    """
    settings = read_family(options, NAME, bert="finetuned", fusion="none")
    return build_family(settings, backbone, features, NAME)
