"""Audio-visual encoders: the frames of each modality → states of the same length.

``bilstm`` (the default): a BiLSTM, its directions summed, then self-attention, after the group's
earlier public code, mmlatch (Paraskevopoulos et al. 2022, arXiv 2201.09828). ``transformer``: one
pre-norm Transformer layer (Vaswani et al. 2017, arXiv 1706.03762) with sinusoidal positions.
``mean``: a linear map of the mean frame, the same state at every frame.

Departure from mmlatch: padding is masked in the attention (their public code does not mask it).
Reconstruction: that AMB uses the first, its sizes, and the residual connection around the
attention, which keeps what each frame's own state knows; all of the other two.

Notation: B batch, T frames, F features of a frame, W width of the states, H heads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from amb.data.frames import Frames
from amb.model.recurrent import mirrored

WIDTH = 100
DROPOUT = 0.2
HEADS = 4
LONGEST_WAVE = 10_000.0


class RecurrentEncoder(nn.Module):
    """A BiLSTM whose directions are summed, then single-head self-attention.

    Args:
        features: F.
        width: W.
        dropout: Probability, on the states.
    """

    def __init__(self, features: int, width: int = WIDTH, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.width = width
        self.forwards = nn.LSTM(features, width, batch_first=True)
        self.backwards = nn.LSTM(features, width, batch_first=True)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Frames) -> Tensor:
        """Encode: frames (B, T, F) → states (B, T, W); states at padding are zero."""
        states = self._recur(frames)
        scores = self.query(states) @ self.key(states).transpose(1, 2) / math.sqrt(self.width)
        # A lowest score rather than -inf: an utterance without a single frame stays finite.
        hidden = ~frames.mask[:, None, :]  # (B, 1, T)
        weights = scores.masked_fill(hidden, -1e9).softmax(-1)
        attended = states + weights @ self.value(states)
        encoded: Tensor = self.dropout(attended) * frames.mask.unsqueeze(-1)
        return encoded

    def _recur(self, frames: Frames) -> Tensor:
        """Sum both directions: (B, T, F) → (B, T, W).

        The backward LSTM reads every sequence from its last real frame, so that padding comes
        last in both.
        """
        backward = self.backwards(mirrored(frames.values, frames.mask))[0]
        summed: Tensor = self.forwards(frames.values)[0] + mirrored(backward, frames.mask)
        return summed


class TransformerEncoder(nn.Module):
    """A linear map, sinusoidal positions, and one pre-norm Transformer layer.

    Args:
        features: F.
        width: W, a multiple of ``HEADS``.
        dropout: Probability, inside the layer and on the states.
    """

    def __init__(self, features: int, width: int = WIDTH, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.project = nn.Linear(features, width)
        self.layer = nn.TransformerEncoderLayer(
            width, HEADS, 2 * width, dropout, batch_first=True, norm_first=True
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Frames) -> Tensor:
        """Encode: frames (B, T, F) → states (B, T, W); states at padding are zero."""
        projected = self.project(frames.values)
        positions = sinusoidal_positions(*projected.shape[1:])
        placed = projected + positions.to(projected)
        padding = ~frames.mask
        # Attention over nothing at all is not finite: an utterance without frames sees its padding.
        nothing = padding.all(1, keepdim=True)
        states = self.layer(placed, src_key_padding_mask=padding & ~nothing)
        encoded: Tensor = self.dropout(states) * frames.mask.unsqueeze(-1)
        return encoded


class MeanEncoder(nn.Module):
    """A linear map of the mean frame, at every frame.

    Args:
        features: F.
        width: W.
        dropout: Probability, on the states.
    """

    def __init__(self, features: int, width: int = WIDTH, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.project = nn.Linear(features, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Frames) -> Tensor:
        """Encode: frames (B, T, F) → states (B, T, W); states at padding are zero."""
        mean = mean_over_frames(frames.values, frames.mask)
        encoded: Tensor = self.dropout(torch.relu(self.project(mean)))  # (B, W)
        return encoded.unsqueeze(1) * frames.mask.unsqueeze(-1)


ENCODERS: dict[str, type[RecurrentEncoder] | type[TransformerEncoder] | type[MeanEncoder]] = {
    "bilstm": RecurrentEncoder,
    "transformer": TransformerEncoder,
    "mean": MeanEncoder,
}


class AudioVisualEncoder(nn.Module):
    """One encoder for each of the modalities.

    Args:
        dimensions: F of each modality.
        kind: A key of ``ENCODERS``.
        width: W.
        dropout: Probability, on the states.
    """

    def __init__(
        self,
        dimensions: Mapping[str, int],
        kind: str = "bilstm",
        width: int = WIDTH,
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__()
        encoder = ENCODERS[kind]
        self.encoders = nn.ModuleDict(
            {m: encoder(F, width, dropout) for m, F in dimensions.items()}
        )
        self.widths = dict.fromkeys(dimensions, width)

    def forward(self, frames: Mapping[str, Frames]) -> dict[str, Tensor]:
        """Encode every modality: (B, T_m, F_m) → (B, T_m, W)."""
        return {m: encoder(frames[m]) for m, encoder in self.encoders.items()}


def mean_over_frames(states: Tensor, mask: Tensor) -> Tensor:
    """Average states (B, T, W) over the frames of a mask (B, T): (B, W); 0 where there is none."""
    kept = torch.where(mask.unsqueeze(-1), states, 0.0)
    return kept.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


def sinusoidal_positions(length: int, width: int) -> Tensor:
    """Return the position signals of Vaswani et al. 2017, section 3.5: (length, width) float32."""
    place = torch.arange(length, dtype=torch.float32).unsqueeze(1)
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(LONGEST_WAVE) / width))
    signals = torch.zeros(length, width)
    signals[:, 0::2] = torch.sin(place * rates)
    signals[:, 1::2] = torch.cos(place * rates[: width // 2])
    return signals
