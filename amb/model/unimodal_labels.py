"""Unimodal labels that nobody annotated, from where an utterance stands between class centres.

Self-MM's unimodal label generation module (Yu, Xu, Yuan, Wu 2021, AAAI, arXiv 2102.04830). For
each task s (the fused one, m, and each modality u) the positive and the negative utterances of the
training split have a mean representation; how far a representation leans to the positive one is ::

    α_s = (D⁻_s − D⁺_s) / (D⁺_s + ε)          D the distance to either centre

The new label of u moves y_m in proportion and by the difference, and is averaged over epochs i::

    y_u = y_m (α_u / α_m + 1) / 2 + (α_u − α_m) / 2,  clipped to ±H
    ȳ_u ← (i − 1)/(i + 1) · ȳ_u + 2/(i + 1) · y_u     from the second epoch on; at first ȳ_u = y_m

Departure: D is the plain Euclidean distance, as in MMSA; any scale of a width cancels in α.
Departure: where a class has no utterance its centre is 0; MMSA's is NaN.

Notation: U training utterances, B batch, S tasks (the fused one first), W_s width of a task's
representation.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

EPSILON = 1e-8


class UnimodalLabels(nn.Module):
    """Labels, representations and class centres of the training split; no part of a checkpoint.

    Args:
        widths: W_s of each task.
        limit: H, the largest label.

    Attributes:
        labels: (S, U), the fused task's own first, which never change.
        representations: (U, ΣW), 0 until an utterance has been seen.
        centres: (2, ΣW), positive and negative.
    """

    labels: Tensor
    representations: Tensor
    centres: Tensor

    def __init__(self, widths: list[int], limit: float) -> None:
        super().__init__()
        self.widths = widths
        self.limit = limit
        for name in ("labels", "representations", "centres"):
            self.register_buffer(name, torch.empty(0), persistent=False)

    @property
    def begun(self) -> bool:
        """Whether there is a training split to keep labels of."""
        return self.labels.numel() > 0

    def begin(self, labels: Tensor) -> None:
        """Give every task the labels (U,) of the training split."""
        self.labels = labels.repeat(len(self.widths), 1)
        self.representations = labels.new_zeros(len(labels), sum(self.widths))
        self.centres = labels.new_zeros(2, sum(self.widths))

    @torch.no_grad()
    def update(self, rows: Tensor, representations: Tensor, epoch: int) -> None:
        """Move the labels of a batch, then the centres.

        Args:
            rows: (B,) places in the training split.
            representations: (B, ΣW), those of all tasks side by side.
            epoch: From 1; the first one only collects representations.
        """
        if epoch > 1:
            self.labels[1:, rows] = self._moved(rows, representations, epoch)
        self.representations[rows] = representations
        self.centres = torch.stack([self._means(self.labels > 0), self._means(self.labels < 0)])

    def _moved(self, rows: Tensor, representations: Tensor, epoch: int) -> Tensor:
        """Return the unimodal labels after a step: (S − 1, B)."""
        leaning = self._leaning(representations)  # (S, B)
        fused, unimodal = leaning[0], leaning[1:]
        own = self.labels[0, rows]
        ratio = unimodal / (fused + EPSILON)
        new = 0.5 * ratio * own + 0.5 * (own + unimodal - fused)
        new = new.clamp(-self.limit, self.limit)
        return ((epoch - 1) * self.labels[1:, rows] + 2 * new) / (epoch + 1)

    def _leaning(self, representations: Tensor) -> Tensor:
        """Return α of each task and utterance: (B, ΣW) → (S, B)."""
        positive, negative = (
            torch.stack([d.norm(dim=-1) for d in (representations - centre).split(self.widths, 1)])
            for centre in self.centres
        )
        return (negative - positive) / (positive + EPSILON)

    def _means(self, chosen: Tensor) -> Tensor:
        """Average each task's representations over its chosen utterances: (S, U) → (ΣW,)."""
        parts = self.representations.split(self.widths, 1)  # each (U, W_s)
        means = [
            (part * own[:, None]).sum(0) / own.sum().clamp(min=1)
            for part, own in zip(parts, chosen, strict=True)
        ]
        return torch.cat(means)
