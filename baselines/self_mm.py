"""Self-MM: fusion trained beside one task a modality, whose labels the model makes up as it goes.

Yu, Xu, Yuan, Wu 2021, AAAI, arXiv 2102.04830, section 3. BERT's pooled text and the last state of
an LSTM over audio and over visual frames go, joined and apart, through task heads::

    f_s = ReLU(W₁ x_s);  ŷ_s = W₃ ReLU(W₂ f_s)       s fused or a modality u
    loss = mean |ŷ_m − y_m| + Σ_u mean(tanh|ȳ_u − y_m| · |ŷ_u − ȳ_u|)

The fused ŷ_m is the prediction. ȳ_u comes from ``amb.model.unimodal_labels``, and is y_m during the
first epoch, in which the unimodal tasks thus have no weight.

Departure: the hidden layer W₂ of a head is that of MMSA, by the same authors; the paper has none.
Departure: text is pooled as the study's ``backbone.pooling`` says; MMSA takes [CLS].
Departure: ``a_lstm_dropout`` and ``v_lstm_dropout`` are left out: they are 0 for every data set.
Reconstruction: a modality that the data lack has no task and no part in the joined state.

Notation: B batch, T frames, F features of a frame, D hidden size of BERT, S tasks (fused first),
W_s width of a task's representation f_s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from amb.data.batches import Batch, SplitData
from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options
from amb.model.packing import TokenLayout
from amb.model.recurrent import LastState
from amb.model.unimodal_labels import UnimodalLabels

FUSED = "fused"


class SequenceSubnet(nn.Module):
    """The last state of an LSTM over frames, mapped to its width.

    Args:
        features: F.
        hidden: Width of the LSTM.
        outputs: Width of the result.
    """

    def __init__(self, features: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.last_state = LastState(features, hidden)
        self.linear = nn.Linear(hidden, outputs)

    def forward(self, frames: Frames) -> Tensor:
        """Encode: (B, T, F) → (B, outputs)."""
        final = self.last_state(frames.values, frames.mask)
        encoded: Tensor = self.linear(final * frames.mask.any(1, keepdim=True))
        return encoded


class TaskHead(nn.Module):
    """One task: a representation and a prediction from it.

    Args:
        inputs: Width of x_s.
        width: W_s.
        dropout: Probability, on x_s.
    """

    def __init__(self, inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.dropout = nn.Dropout(dropout)
        self.layer_1 = nn.Linear(inputs, width)
        self.layer_2 = nn.Linear(width, width)
        self.layer_3 = nn.Linear(width, 1)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return f_s (B, W_s) and ŷ_s (B,)."""
        representation = torch.relu(self.layer_1(self.dropout(inputs)))
        prediction = self.layer_3(torch.relu(self.layer_2(representation))).squeeze(-1)
        return representation, prediction


class SelfMM(SentimentModel):
    """The fused task and one task a modality.

    Args:
        backbone: The text encoder, frozen or not.
        pooling: ``cls`` or ``mean``.
        encoders: One for audio and one for visual, where there is one.
        heads: One a task: fused, text, then those of ``encoders``.
        limit: H, the largest label.
    """

    def __init__(
        self,
        backbone: BertEncoder,
        pooling: str,
        encoders: dict[str, SequenceSubnet],
        heads: dict[str, TaskHead],
        limit: float,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.encoders = nn.ModuleDict(encoders)
        self.heads = nn.ModuleDict(heads)
        self.unimodal_labels = UnimodalLabels([head.width for head in heads.values()], limit)
        self.epoch = 1

    def begin_training(self, train: SplitData) -> None:
        """Give every task the labels of the training split."""
        assert train.labels is not None, "Self-MM learns from labels"
        self.unimodal_labels.begin(train.labels)

    def begin_epoch(self, epoch: int) -> None:
        """Note the epoch, which weighs new unimodal labels against old ones."""
        self.epoch = epoch

    def training_state(self) -> dict[str, Tensor]:
        """Return what training changes: the unimodal labels and what moves them, too."""
        moved = self.unimodal_labels.named_buffers(prefix="unimodal_labels")
        return {**super().training_state(), **dict(moved)}

    def group_of(self, name: str) -> str:
        """Return ``backbone``, ``audio`` or ``visual`` for an encoder, ``other`` for the heads."""
        part, child = name.split(".")[:2]
        return {"backbone": "backbone", "encoders": child}.get(part, "other")

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        prediction: Tensor = self.heads[FUSED](self._inputs(batch)[FUSED])[1]
        return prediction

    def loss(self, batch: Batch) -> Tensor:
        """Return the weighted error of all tasks; in training, move the unimodal labels too."""
        assert batch.labels is not None, "a batch without labels has no loss"
        inputs = self._inputs(batch)
        outputs = [head(inputs[task]) for task, head in self.heads.items()]
        predictions = torch.stack([prediction for _, prediction in outputs])  # (S, B)
        targets = self._targets(batch, batch.labels)
        weights = (targets - targets[0]).abs().tanh()
        weights[0] = 1
        if self.training and self.unimodal_labels.begun:
            assert batch.rows is not None, "Self-MM needs the rows of its utterances"
            representations = torch.cat([f.detach() for f, _ in outputs], dim=1)  # (B, ΣW)
            self.unimodal_labels.update(batch.rows, representations, self.epoch)
        return (weights * (predictions - targets).abs()).mean(1).sum()

    def _inputs(self, batch: Batch) -> dict[str, Tensor]:
        """Return x_s of each task: (B, ·)."""
        layout = TokenLayout(batch.token_mask, batch.seeds)
        text = layout.pool(self.backbone(batch.token_ids, layout), self.pooling)
        apart = {"text": text, **{m: e(batch.frames[m]) for m, e in self.encoders.items()}}
        return {FUSED: torch.cat(list(apart.values()), dim=1), **apart}

    def _targets(self, batch: Batch, labels: Tensor) -> Tensor:
        """Return the label of each task: (S, B); all the same before training begins."""
        if self.training and self.unimodal_labels.begun:
            return self.unimodal_labels.labels[:, batch.rows]
        return labels.repeat(len(self.heads), 1)


@dataclass(frozen=True)
class Options:
    """Options of the row; the defaults are MMSA's for CMU-MOSI.

    Attributes:
        audio_hidden: Width of the audio LSTM.
        audio_output: Width of what it hands on.
        visual_hidden: Width of the visual LSTM.
        visual_output: Width of what it hands on.
        fused_width: W of the fused task.
        text_width: W of the text task.
        audio_width: W of the audio task.
        visual_width: W of the visual task.
        fused_dropout: Probability, on the input of the fused task.
        text_dropout: Probability, on the input of the text task.
        audio_dropout: Probability, on the input of the audio task.
        visual_dropout: Probability, on the input of the visual task.
        limit: H, the largest label.
        finetune: Whether BERT trains.
    """

    audio_hidden: int = 16
    audio_output: int = 16
    visual_hidden: int = 32
    visual_output: int = 32
    fused_width: int = 128
    text_width: int = 32
    audio_width: int = 16
    visual_width: int = 32
    fused_dropout: float = 0.0
    text_dropout: float = 0.1
    audio_dropout: float = 0.1
    visual_dropout: float = 0.0
    limit: float = 3.0
    finetune: bool = True

    def __post_init__(self) -> None:
        if self.limit <= 0:
            raise InputError("method self_mm", "options.limit", self.limit, "more than 0")


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> SelfMM:
    """Build Self-MM on BERT and the modalities that the data have."""
    settings = read_options(Options, options, "self_mm")
    features.require_text("self_mm")
    features.choose(None, "self_mm")
    encoder = backbone.load(trainable=settings.finetune)
    return assemble(encoder, backbone.settings.pooling, features.dimensions, settings)


def assemble(
    encoder: BertEncoder, pooling: str, dimensions: dict[str, int], settings: Options
) -> SelfMM:
    """Build the model.

    Args:
        encoder: The text encoder.
        pooling: ``cls`` or ``mean``.
        dimensions: F of each modality besides text.
        settings: The options.

    Returns:
        The model.
    """
    sizes = {
        "audio": (settings.audio_hidden, settings.audio_output),
        "visual": (settings.visual_hidden, settings.visual_output),
    }
    encoders = {m: SequenceSubnet(F, *sizes[m]) for m, F in dimensions.items()}
    inputs = {"text": encoder.shape.hidden_size, **{m: sizes[m][1] for m in dimensions}}
    inputs = {FUSED: sum(inputs.values()), **inputs}
    tasks = {
        FUSED: (settings.fused_width, settings.fused_dropout),
        "text": (settings.text_width, settings.text_dropout),
        "audio": (settings.audio_width, settings.audio_dropout),
        "visual": (settings.visual_width, settings.visual_dropout),
    }
    heads = {task: TaskHead(width, *tasks[task]) for task, width in inputs.items()}
    return SelfMM(encoder, pooling, encoders, heads, settings.limit)
