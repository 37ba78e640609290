"""Where fusion acts: how long what each fusion layer adds is, beside the state it is added to.

For every word-piece of the validation split and every fusion layer, with h the hidden state that
the layer reads and Δ(h, a, v) what it adds:

- ``whole``: ‖Δ(h, a, v)‖;
- ``text``: ‖Δ(h, 0, 0)‖, what it would add if nothing were heard or seen: as far as that goes, a
  fusion layer is but one more adapter;
- ``audio``: ‖Δ(h, a, v) − Δ(h, 0, v)‖, what goes with the aligned state of the modality, and
  ``visual`` likewise. A state of 0 is what a fusion layer reads at special tokens.

Parts do not add up: norms do not, and the bottleneck is not linear. A state that is the same for
all utterances counts as well as one that tells them apart.

Labels enter nowhere, and the test split is not read.

Notation: N word-pieces, D hidden size, W width of a state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from amb.data.batches import SplitData
from amb.errors import InputError
from amb.evaluation.predict import load_frozen, origin_of
from amb.files import write_text
from amb.model.alignment import join_aligned
from amb.model.fusion import FusionLayer
from amb.model.method import SentimentModel
from amb.training.job import Epoch, Job
from amb.training.predict import predict
from amb.training.run import open_context

FILE = "fusion_norms.csv"
WHOLE, TEXT = "whole", "text"


def measure_seed(job: Job, seed: int, _on_epoch: Callable[[Epoch], None] | None = None) -> str:
    """Measure a run's fusion layers on the validation split; ``fusion_norms.csv``.

    Args:
        job: The method and its files.
        seed: The run's seed.
        _on_epoch: Never called; with it this is a task that ``run_seeds`` takes.

    Returns:
        One line that says what was written.

    Raises:
        InputError: The method has no fusion layers.
    """
    origin_of(job, seed, ())  # refuses a checkpoint that is not the recorded one
    norms = fusion_norms(load_frozen(job, seed), open_context(job).splits["valid"])
    if norms.empty:
        raise InputError(job.study_file, "--method", job.method, "a row with fusion layers")
    write_text(job.folder(seed) / FILE, norms.to_csv(index=False))
    return f"{norms['layer'].nunique()} fusion layers measured"


def fusion_norms(model: SentimentModel, data: SplitData) -> pd.DataFrame:
    """Return the mean norms of what each fusion layer adds to the word-pieces of a split.

    Args:
        model: A trained model.
        data: The split, labelled or not.

    Returns:
        One row a fusion layer and part, by layer: ``layer`` (BERT's, counted from 1), ``part``,
        ``added`` (mean norm of the part), ``hidden`` (mean norm of the state), ``ratio`` (mean
        over word-pieces of one by the other) and ``pieces``. No row without fusion layers. Where
        only [CLS] gains anything, only [CLS] counts.
    """
    layers = {
        int(name.rsplit(".", 1)[-1]) + 1: module
        for name, module in model.named_modules()
        if isinstance(module, FusionLayer)
    }
    sums = {number: _Sums() for number in sorted(layers)}
    with _watched(layers, sums):
        predict(model, data)
    rows = [row for number, own in sums.items() for row in own.rows(number)]
    return pd.DataFrame(rows, columns=["layer", "part", "added", "hidden", "ratio", "pieces"])


@dataclass
class _Sums:
    """Sums over word-pieces of one layer, float64."""

    pieces: int = 0
    hidden: float = 0.0
    added: dict[str, float] = field(default_factory=dict)
    ratio: dict[str, float] = field(default_factory=dict)

    def add(self, hidden_states: Tensor, parts: dict[str, Tensor]) -> None:
        """Add word-pieces: states (N, D) and each part of what is added to them (N, D)."""
        length = hidden_states.double().norm(dim=-1)  # (N,)
        self.pieces += len(length)
        self.hidden += float(length.sum())
        for name, part in parts.items():
            own = part.double().norm(dim=-1)
            self.added[name] = self.added.get(name, 0.0) + float(own.sum())
            self.ratio[name] = self.ratio.get(name, 0.0) + float((own / length).sum())

    def rows(self, layer: int) -> list[dict[str, Any]]:
        """Return the means of each part."""
        return [
            {
                "layer": layer,
                "part": part,
                "added": total / self.pieces,
                "hidden": self.hidden / self.pieces,
                "ratio": self.ratio[part] / self.pieces,
                "pieces": self.pieces,
            }
            for part, total in self.added.items()
        ]


@contextmanager
def _watched(layers: dict[int, FusionLayer], sums: dict[int, _Sums]) -> Iterator[None]:
    """Have every layer's norms summed while the model runs."""

    def watch(number: int) -> Callable[..., None]:
        return lambda layer, inputs, added: sums[number].add(*_parts(layer, inputs, added))

    handles = [layer.register_forward_hook(watch(number)) for number, layer in layers.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _parts(
    layer: FusionLayer, inputs: tuple[Any, ...], added: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the states that gain something, (N, D), and each part of the gain."""
    hidden_states, states, batch, layout = inputs
    aligned = join_aligned(layer.alignments, hidden_states, states, batch, layout)  # (N, ΣW)
    widths = {modality: states[modality].shape[-1] for modality in layer.alignments}

    def gain(aligned: Tensor) -> Tensor:
        without: Tensor = layer.up_proj(layer.mix(hidden_states, aligned))
        return without

    parts = {
        WHOLE: added,
        TEXT: gain(torch.zeros_like(aligned)),
        **{m: added - gain(_without(m, aligned, widths)) for m in widths},
    }
    if not layer.cls_only:
        return hidden_states, parts
    return hidden_states[layout.first], {name: part[layout.first] for name, part in parts.items()}


def _without(modality: str, aligned: Tensor, widths: dict[str, int]) -> Tensor:
    """Return the aligned states (N, ΣW) with those of one modality set to 0."""
    states = dict(zip(widths, aligned.split(list(widths.values()), dim=-1), strict=True))
    states[modality] = torch.zeros_like(states[modality])
    return torch.cat(list(states.values()), dim=-1)
