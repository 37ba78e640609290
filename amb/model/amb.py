"""Adapted Multimodal BERT, and the family it belongs to.

A BERT whose layers are followed by adapters and by fusion layers, either of which may be absent::

    h ← embeddings(text);  a, v ← audio-visual encoder
    for each layer:  h ← adapters(layer)(h);  h ← h + fusion(h, a, v)
    sentiment ← head(pool(h))

AMB freezes BERT and trains the rest. The options make a grid of which it is one cell: BERT
``frozen``, with ``adapter`` or ``finetuned``; modalities that meet in no place (``none``), just
before the head (``late``), or after BERT's layers (an operator of ``fusion``).

Source: Chlapanis, Paraskevopoulos, Potamianos 2022 (arXiv 2212.00678), abstract.
Reconstruction: everything that the abstract leaves open; see the modules that this one joins.

Notation: B batch, N word-pieces in the batch, D hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.errors import InputError
from amb.model.adapter import NEAR_IDENTITY_STD, PLACEMENTS, AdapterShape, PfeifferAdapters
from amb.model.audiovisual import DROPOUT, WIDTH, AudioVisualEncoder, mean_over_frames
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder
from amb.model.fusion import BOTTLENECK, OPERATORS, FusionLayer, FusionShape
from amb.model.head import DROPOUT as HEAD_DROPOUT
from amb.model.head import JOINT_UNITS, LateHead, LinearHead
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options
from amb.model.packing import TokenLayout

Modality = Literal["audio", "visual"]


class AdaptedMultimodalBert(SentimentModel):
    """BERT with optional adapters and optional fusion layers after its layers.

    Args:
        backbone: The encoder, frozen or not.
        pooling: ``cls`` or ``mean``.
        head: A ``LateHead`` for late fusion, else a ``LinearHead``.
        adapters: One module a layer that runs the layer with its adapters, or none at all.
        audiovisual: The encoder of audio and visual sequences, or None for text only.
        fusion: Fusion layers by the layer that they follow, counted from 0.
        side: Whether what fusion adds stays beside BERT and joins after its last layer.
    """

    def __init__(
        self,
        backbone: BertEncoder,
        pooling: str,
        head: LinearHead | LateHead,
        adapters: list[nn.Module] | None = None,
        audiovisual: AudioVisualEncoder | None = None,
        fusion: Mapping[int, FusionLayer] | None = None,
        side: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.head = head
        self.adapters = nn.ModuleList(adapters) if adapters else None
        self.audiovisual = audiovisual
        self.fusion = nn.ModuleDict({str(index): layer for index, layer in (fusion or {}).items()})
        self.side = side

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        layout = TokenLayout(batch.token_mask, batch.seeds)
        states = {} if self.audiovisual is None else self.audiovisual(batch.frames)
        pooled = layout.pool(self.encode(batch, states, layout), self.pooling)  # (B, D)
        sentiment: Tensor
        if isinstance(self.head, LateHead):
            means = [mean_over_frames(s, batch.frames[m].mask) for m, s in states.items()]
            sentiment = self.head([pooled, *means])
        else:
            sentiment = self.head(pooled)
        return sentiment

    @property
    def plain_layers(self) -> int:
        """How many of BERT's first layers come before everything else: adapters and fusion."""
        if self.adapters is not None:
            return 1 if isinstance(self.adapters[0], PfeifferAdapters) else 0
        return min(map(int, self.fusion), default=len(self.backbone.layers) - 1) + 1

    def encode(self, batch: Batch, states: dict[str, Tensor], layout: TokenLayout) -> Tensor:
        """Run BERT with adapters and fusion: packed last hidden states (N, D)."""
        plain = self.plain_layers
        hidden_states = self.backbone(batch.token_ids, layout, plain)  # (N, D)
        beside = torch.zeros_like(hidden_states) if self.side else None  # (N, D)
        for index, layer in enumerate(self.backbone.layers):
            apply = _applied if index < plain else layer
            if self.adapters is None:
                hidden_states = apply(hidden_states, layout)
            else:
                hidden_states = self.adapters[index](apply, hidden_states, layout)
            if str(index) not in self.fusion:
                continue
            fuse = self.fusion[str(index)]
            if beside is None:
                hidden_states = hidden_states + fuse(hidden_states, states, batch, layout)
            else:
                beside = beside + fuse(hidden_states + beside, states, batch, layout)
        encoded: Tensor = hidden_states if beside is None else hidden_states + beside
        return encoded


def _applied(hidden_states: Tensor, _: TokenLayout) -> Tensor:
    """Stand in for a layer that has been applied: (N, D) → the same."""
    return hidden_states


@dataclass(frozen=True)
class Options:
    """Options of AMB and its family; the defaults are the row ``amb``.

    Attributes:
        bert: ``frozen``, frozen with an ``adapter`` in every layer, or ``finetuned``.
        fusion: ``none`` (text only), ``late``, or an operator of ``fusion``.
        fusion_layers: BERT's layers that a fusion layer follows: ``all``, a number k for the last
            k, or a list, counted from 1.
        fusion_bottleneck: Units of a fusion layer.
        joint_units: Units of the joint layer of late fusion.
        adapter: ``pfeiffer`` (one a layer) or ``houlsby`` (two).
        adapter_bottleneck: Units of an adapter; D / 16 when left out.
        adapter_activation: Of the bottleneck.
        adapter_initial_std: Of its weights; 0 starts from BERT exactly.
        adapter_dropout: On the bottleneck.
        audiovisual: Kind of the audio-visual encoder.
        audiovisual_width: Units of its states.
        audiovisual_dropout: On its states.
        modalities: Which to read beside text; all that the data have when left out.
        head_dropout: Before the last linear map.
    """

    bert: Literal["frozen", "adapter", "finetuned"] = "adapter"
    fusion: Literal["none", "late", "word", "pooled", "cls", "gated", "attention", "side"] = "word"
    fusion_layers: Literal["all"] | int | list[int] = "all"
    fusion_bottleneck: int = BOTTLENECK
    joint_units: int = JOINT_UNITS
    adapter: Literal["pfeiffer", "houlsby"] = "pfeiffer"
    adapter_bottleneck: int | None = None
    adapter_activation: Literal["relu", "gelu", "tanh", "silu"] = "relu"
    adapter_initial_std: float = NEAR_IDENTITY_STD
    adapter_dropout: float = 0.0
    audiovisual: Literal["bilstm", "transformer", "mean"] = "bilstm"
    audiovisual_width: int = WIDTH
    audiovisual_dropout: float = DROPOUT
    modalities: list[Modality] | None = None
    head_dropout: float = HEAD_DROPOUT


def build(
    options: Mapping[str, Any], backbone: Backbone, features: FeatureShape
) -> AdaptedMultimodalBert:
    """Build AMB, or the member of its family that the options describe.

    Args:
        options: See ``Options``.
        backbone: The prepared backbone.
        features: What the data have besides text.

    Returns:
        The model, its new parameters initialised from torch's current generator.

    Raises:
        InputError: An option is unknown or has no such value, or the data lack a modality.
    """
    return build_family(read_options(Options, options, "amb"), backbone, features, "amb")


def read_family(options: Mapping[str, Any], method: str, **fixed: str) -> Options:
    """Read the options of a row that is one cell of the family: some of its options are fixed.

    Args:
        options: The row's options.
        method: Name for messages.
        **fixed: Options that make the row what it is.

    Returns:
        The family's options.

    Raises:
        InputError: An option is fixed, is unknown or has no such value.
    """
    for key in fixed.keys() & options.keys():
        raise InputError(f"method {method}", f"options.{key}", options[key], f"only {fixed[key]}")
    return read_options(Options, {**options, **fixed}, method)


def build_family(
    settings: Options, backbone: Backbone, features: FeatureShape, method: str
) -> AdaptedMultimodalBert:
    """Build a member of the family.

    Args:
        settings: Its options.
        backbone: The prepared backbone.
        features: What the data have besides text.
        method: Name for messages.

    Returns:
        The model.

    Raises:
        InputError: The data lack text or a modality, or BERT lacks a layer.
    """
    features.require_text(method)
    encoder = backbone.load(trainable=settings.bert == "finetuned")
    audiovisual = _audiovisual(settings, features, method)
    fusion: dict[int, FusionLayer] = {}
    head: LinearHead | LateHead = LinearHead(encoder.shape.hidden_size, settings.head_dropout)
    if audiovisual is not None and settings.fusion == "late":
        widths = [encoder.shape.hidden_size, *audiovisual.widths.values()]
        head = LateHead(widths, settings.joint_units, settings.head_dropout)
    elif audiovisual is not None:
        fusion = _fusion(settings, encoder, audiovisual, features, method)
    return AdaptedMultimodalBert(
        encoder,
        backbone.settings.pooling,
        head,
        _adapters(settings, encoder) if settings.bert == "adapter" else None,
        audiovisual,
        fusion,
        side=settings.fusion == "side",
    )


def _adapters(settings: Options, encoder: BertEncoder) -> list[nn.Module]:
    shape = AdapterShape(
        settings.adapter_bottleneck,
        settings.adapter_activation,
        settings.adapter_initial_std,
        settings.adapter_dropout,
    )
    place = PLACEMENTS[settings.adapter]
    return [place(encoder.shape.hidden_size, shape) for _ in encoder.layers]


def _audiovisual(
    settings: Options, features: FeatureShape, method: str
) -> AudioVisualEncoder | None:
    """Build the audio-visual encoder, None for text only."""
    if settings.fusion == "none":
        return None
    return AudioVisualEncoder(
        features.choose(settings.modalities, method),
        settings.audiovisual,
        settings.audiovisual_width,
        settings.audiovisual_dropout,
    )


def _fusion(
    settings: Options,
    encoder: BertEncoder,
    audiovisual: AudioVisualEncoder,
    features: FeatureShape,
    method: str,
) -> dict[int, FusionLayer]:
    """Build the fusion layers by the layer of BERT that they follow, counted from 0."""
    shape = FusionShape(
        encoder.shape.hidden_size,
        audiovisual.widths,
        features.word_aligned,
        settings.fusion_bottleneck,
    )
    count = encoder.shape.num_hidden_layers
    places = _places(settings.fusion_layers, count, method)
    return {place: OPERATORS[settings.fusion](shape) for place in places}


def _places(wanted: str | int | list[int], count: int, method: str) -> list[int]:
    """Turn the option ``fusion_layers`` into layers counted from 0, ascending."""
    field = "options.fusion_layers"
    if isinstance(wanted, str):
        return list(range(count))
    if isinstance(wanted, int):
        if not 1 <= wanted <= count:
            raise InputError(f"method {method}", field, wanted, f"1 to {count}, BERT's layers")
        return list(range(count - wanted, count))
    if not wanted or len(set(wanted)) < len(wanted) or not set(wanted) <= set(range(1, count + 1)):
        allowed = f"different layers from 1 to {count}"
        raise InputError(f"method {method}", field, wanted, allowed)
    return sorted(place - 1 for place in wanted)
