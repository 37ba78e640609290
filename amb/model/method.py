"""What a method is: a file with one ``build(options, backbone, features) -> SentimentModel``.

The training loop, prediction and the tables know nothing else of it. A new row of the tables is a
new file in ``baselines/`` and a line in the study.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import Tensor, nn

from amb.data.batches import Batch
from amb.data.dataset import FRAME_MODALITIES, TEXT_STATES
from amb.data.store import Store
from amb.errors import InputError
from amb.model.backbone import Backbone

OptionsT = TypeVar("OptionsT")


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

    def require_any(self, method: str) -> None:
        """Refuse data without audio and visual features for a method that fuses.

        Args:
            method: Name for the message.

        Raises:
            InputError: The data are text only.
        """
        if not self.dimensions:
            raise InputError(
                "store", "modalities", "text only", f"audio or visual features for {method}"
            )


class SentimentModel(nn.Module):
    """A model that predicts one number an utterance.

    Subclasses set ``self.backbone`` (a BertEncoder) where they have one; its parameters train at
    the backbone's learning rate, all others at that of new parameters.
    """

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,), unclipped."""
        raise NotImplementedError

    def trainable_groups(self) -> dict[str, dict[str, nn.Parameter]]:
        """Return the trainable parameters by name: ``backbone`` (pretrained) and ``new``."""
        groups: dict[str, dict[str, nn.Parameter]] = {"backbone": {}, "new": {}}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                groups["backbone" if name.startswith("backbone.") else "new"][name] = parameter
        return groups

    def trainable_state(self) -> dict[str, Tensor]:
        """Return the trainable parameters by name: what a checkpoint holds."""
        return {n: p.detach() for n, p in self.named_parameters() if p.requires_grad}

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
    if importlib.util.find_spec(module_name) is None:
        raise InputError("study", "builder", name, f"amb or a file baselines/{name}.py")
    builder = getattr(importlib.import_module(module_name), "build", None)
    if builder is None:
        raise InputError(f"baselines/{name}.py", "build", "no such function", "a function build")
    found: Builder = builder
    return found


def method_module(name: str) -> str:
    """Return the module that builds a method; baselines are found by name, never imported here."""
    return "amb.model.amb" if name == "amb" else f"baselines.{name}"


def read_options(cls: type[OptionsT], options: Mapping[str, Any], method: str) -> OptionsT:
    """Turn a study's options into a builder's dataclass, refusing what it does not know.

    Args:
        cls: The builder's frozen dataclass; its annotations are checked.
        options: The study's ``methods.<name>.options``.
        method: Name for the message.

    Returns:
        An instance of ``cls``.

    Raises:
        InputError: A key is unknown or a value has another type than the dataclass says.
    """
    hints = typing.get_type_hints(cls)
    known = [field.name for field in dataclasses.fields(typing.cast(Any, cls))]
    for key, value in options.items():
        if key not in known:
            raise InputError(f"method {method}", f"options.{key}", value, f"only {known}")
        accepted = typing.get_args(hints[key]) or (hints[key],)
        if type(value) not in accepted:
            names = ", ".join(getattr(kind, "__name__", str(kind)) for kind in accepted)
            raise InputError(
                f"method {method}", f"options.{key}", value, f"a value of type {names}"
            )
    return cls(**options)
