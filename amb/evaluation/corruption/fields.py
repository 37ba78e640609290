"""Random numbers that belong to an utterance, whatever batch, method or seed it is met in.

Notation: B batch, T longest sequence of the batch, F features of a frame.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw standard normal numbers, float32."""
    return rng.standard_normal(shape, dtype=np.float32)


def uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw numbers in [0, 1), float32."""
    return rng.random(shape, dtype=np.float32)


@dataclass(frozen=True)
class FieldKey:
    """What random numbers depend on, beside the utterance: not the level, method or seed."""

    kind: str
    modality: str
    draw: int

    def generator(self, utterance: str) -> np.random.Generator:
        """Return the generator of one utterance."""
        key = json.dumps([utterance, self.kind, self.modality, self.draw])
        seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "little")
        return np.random.Generator(np.random.PCG64(seed))

    def once(self, draw: Draw, utterances: Sequence[str]) -> Tensor:
        """Draw one number an utterance: (B,)."""
        return torch.tensor([float(draw(self.generator(u), ())) for u in utterances])

    def padded(self, draw: Draw, utterances: Sequence[str], mask: Tensor, width: int = 0) -> Tensor:
        """Draw numbers for each place of each utterance.

        Args:
            draw: ``normal`` or ``uniform``.
            utterances: Their ids (B).
            mask: (B, T) bool, true at places, which come first in every row.
            width: F; 0 for one number a place.

        Returns:
            (B, T) or (B, T, F), zeros at padding, on the mask's device.
        """
        tail = (width,) if width else ()
        field = np.zeros((*mask.shape, *tail), dtype=np.float32)
        for row, (utterance, length) in enumerate(
            zip(utterances, mask.sum(1).tolist(), strict=True)
        ):
            field[row, :length] = draw(self.generator(utterance), (length, *tail))
        return torch.from_numpy(field).to(mask.device)
