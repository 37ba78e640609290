"""What a method is: a file with one ``build(options, backbone, features) -> SentimentModel``.

The training loop, prediction and the tables know nothing else of it. A new row of the tables is a
new file in ``baselines/`` and a line in the study.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amb.data.batches import Batch, SplitData
from amb.data.dataset import FRAME_MODALITIES, TEXT_STATES
from amb.data.store import Store
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.source_graph import builder_file

BUILDER_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")  # nothing else is looked up as a module


@dataclass(frozen=True)
class FeatureShape:
    """What a store has.

    Attributes:
        dimensions: Number of features of a frame, by modality (audio, visual).
        word_aligned: Whether a modality has exactly one frame a word.
        has_text: Whether there are words to read.
        text_states: Number of features of precomputed token states, None where there are none.
    """

    dimensions: dict[str, int]
    word_aligned: dict[str, bool]
    has_text: bool = True
    text_states: int | None = None

    @classmethod
    def of(cls, store: Store) -> FeatureShape:
        """Return what an open store has."""
        dimensions = {m: store.dimensions[m] for m in FRAME_MODALITIES if m in store.modalities}
        return cls(
            dimensions,
            {m: store.word_aligned[m] for m in dimensions},
            store.has_text,
            store.dimensions.get(TEXT_STATES),
        )

    def require_text(self, method: str) -> None:
        """Refuse data without words for a method that reads them.

        Args:
            method: Name for the message.

        Raises:
            InputError: The data have no text.
        """
        if not self.has_text:
            raise InputError("store", "text", "utterances without text", f"text for {method}")

    def choose(self, wanted: Sequence[str] | None, method: str) -> dict[str, int]:
        """Return the audio and visual modalities that a method is to read, with their dimensions.

        Args:
            wanted: Those that its options name; None for all that the data have.
            method: Name for the message.

        Returns:
            Number of features of a frame, by modality; at least one.

        Raises:
            InputError: The data lack one that is wanted, or have none at all.
        """
        found = ", ".join(self.dimensions) or "text only"
        for modality in wanted or ():
            if modality not in self.dimensions:
                raise InputError("store", "modalities", found, f"{modality} for {method}")
        chosen = self.dimensions if wanted is None else {m: self.dimensions[m] for m in wanted}
        if not chosen:
            allowed = f"audio or visual features for {method}"
            raise InputError("store", "modalities", found, allowed)
        return dict(chosen)


class SentimentModel(nn.Module):
    """A model that predicts one number an utterance.

    A subclass has to define ``forward``. What else training knows of a method, it may: a loss of
    its own, groups of parameters with learning rates of their own, a look at the training split.
    Where it has a pretrained encoder, that is ``self.backbone``.

    Attributes:
        trains_by_gradient: False for a method that ``begin_training`` fits in closed form.
        reads_labels: True for a control that is shown the labels of the split that it predicts,
            those of the test split included. No method is.
    """

    trains_by_gradient: ClassVar[bool] = True
    reads_labels: ClassVar[bool] = False

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,), unclipped."""
        raise NotImplementedError

    def loss(self, batch: Batch) -> Tensor:
        """Return what a labelled batch is trained on, a scalar: the mean absolute error."""
        assert batch.labels is not None, "a batch without labels has no loss"
        return F.l1_loss(self(batch), batch.labels)

    @property
    def loss_is_mean_over_utterances(self) -> bool:
        """Whether a batch may be cut, and stand beside others: so where ``loss`` is the default."""
        return type(self).loss is SentimentModel.loss

    def training_state(self) -> dict[str, Tensor]:
        """Return all that training changes by name, what no checkpoint holds included.

        A run that was interrupted goes on from it. The tensors are the model's own.
        """
        return self.learned_state()

    def load_training_state(self, state: Mapping[str, Tensor]) -> None:
        """Put back what ``training_state`` gave, in place, under the same names."""
        own = self.training_state()
        with torch.no_grad():
            for name, value in state.items():
                own[name].copy_(value)

    def begin_training(self, train: SplitData) -> None:
        """See the labelled training split once, before the first epoch."""

    def begin_epoch(self, epoch: int) -> None:
        """Be told that an epoch begins; they count from 1."""

    def group_of(self, name: str) -> str:
        """Return the group of a parameter, which a study can give a learning rate of its own."""
        return "backbone" if name.startswith("backbone.") else "new"

    def trainable_groups(self) -> dict[str, dict[str, nn.Parameter]]:
        """Return the trainable parameters by group and name, the pretrained ``backbone`` first."""
        groups: dict[str, dict[str, nn.Parameter]] = {"backbone": {}}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                groups.setdefault(self.group_of(name), {})[name] = parameter
        return groups

    def learned_state(self) -> dict[str, Tensor]:
        """Return what training changes by name, parameters and statistics: a checkpoint's content.

        Statistics are persistent buffers, such as the running mean of a batch norm.
        """
        frozen = {name for name, p in self.named_parameters() if not p.requires_grad}
        return {n: value for n, value in self.state_dict().items() if n not in frozen}

    def count_parameters(self) -> dict[str, int]:
        """Return the number of parameters, ``total`` and ``trainable``."""
        sizes = [(p.numel(), p.requires_grad) for p in self.parameters()]
        return {
            "total": sum(size for size, _ in sizes),
            "trainable": sum(size for size, trains in sizes if trains),
        }


Builder = Callable[[Mapping[str, Any], Backbone, FeatureShape], SentimentModel]


def find_builder(name: str) -> Builder:
    """Find the builder of a method by its name.

    Args:
        name: ``amb``, or the name of a file in ``baselines/``.

    Returns:
        Its ``build`` function.

    Raises:
        InputError: There is no such file, or it has no ``build``.
    """
    module_name = method_module(name)
    file = builder_file(name)
    if not BUILDER_NAME.fullmatch(name) or importlib.util.find_spec(module_name) is None:
        raise InputError("study", "builder", name, f"amb or a file {file}")
    builder = getattr(importlib.import_module(module_name), "build", None)
    if builder is None:
        raise InputError(file, "build", "no such function", "a function build")
    found: Builder = builder
    return found


def method_module(name: str) -> str:
    """Return the module that builds a method; baselines are found by name, never imported here."""
    return "amb.model.amb" if name == "amb" else f"baselines.{name}"
