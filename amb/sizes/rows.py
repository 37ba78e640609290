"""Every row that a preset names, built on torch's meta device and counted."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from amb.errors import InputError
from amb.model.bert import BertEncoder
from amb.model.method import FeatureShape, SentimentModel, find_builder
from amb.presets import Preset
from amb.sizes.checkpoint_file import checkpoint_bytes, specimen_identity
from amb.sizes.counts import RowSize, Size, SizeTable
from amb.sizes.settings import FRAME_DIMENSIONS, TOKEN_STATES, BackboneSize
from amb.sizes.weightless import WeightlessBackbone, bert_shape
from amb.study import KNOWN_BUILDERS
from amb.training.seen_embedding import FULL, PARENT

OWN_DATA = "_mosei"  # ends the name of a preset for the data whose shape is measured
WORD_EMBEDDING = f"{PARENT}.{FULL}.weight"
FEATURES = FeatureShape(
    FRAME_DIMENSIONS, dict.fromkeys(FRAME_DIMENSIONS, True), text_states=TOKEN_STATES
)


def presets_to_measure(presets: Mapping[str, Preset]) -> dict[str, Preset]:
    """Choose the presets that the table has.

    Args:
        presets: All presets by name.

    Returns:
        Those of no data set, and of a method with a preset a data set the one for CMU-MOSEI; no
        control with a known answer.
    """
    a_data_set_each = {p.builder for name, p in presets.items() if name.endswith(OWN_DATA)}
    return {
        name: preset
        for name, preset in presets.items()
        if preset.builder not in KNOWN_BUILDERS
        and (name.endswith(OWN_DATA) or preset.builder not in a_data_set_each)
    }


def measure(size: BackboneSize, presets: Mapping[str, Preset]) -> SizeTable:
    """Build and count every row at one size of BERT, without allocating its parameters.

    Args:
        size: The BERT.
        presets: The rows by name.

    Returns:
        The rows in the order of ``presets``; one that cannot be built says why.
    """
    with torch.device("meta"):
        backbone_total = sum(p.numel() for p in BertEncoder(bert_shape(size)).parameters())
        rows = tuple(_measure_row(name, preset, size) for name, preset in presets.items())
    return SizeTable(size, backbone_total, rows)


def _measure_row(name: str, preset: Preset, size: BackboneSize) -> RowSize:
    builder = find_builder(preset.builder)
    label = preset.label or name
    try:
        model = builder(preset.options, WeightlessBackbone.of(size), FEATURES)
    except InputError as misfit:
        return RowSize(name, label, None, str(misfit))
    return RowSize(name, label, size_of_model(model, name))


def size_of_model(model: SentimentModel, row: str) -> Size:
    """Count a model as it is built, before training replaces anything in it.

    Args:
        model: The model, on any device.
        row: Name of the row, which its checkpoint holds.

    Returns:
        Its size.
    """
    counts, state = model.count_parameters(), model.learned_state()
    return Size(
        counts["total"],
        counts["trainable"],
        checkpoint_bytes(state, specimen_identity(row)),
        WORD_EMBEDDING in state,
    )
