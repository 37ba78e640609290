"""The modality sub-networks of tensor fusion: one short vector an utterance and modality.

    z_a, z_v ← ReLU(W₃ ReLU(W₂ ReLU(W₁ dropout(batch norm(mean of the frames)))))
    z_t ← W · LSTM(text states), at the last real token

Audio and visual sequences are averaged over time; text keeps its order through an LSTM.

Source: Zadeh et al. 2017 (arXiv 1707.07250), section "Modality Embedding Subnetworks", as TFN's and
LMF's public code and MMSA 2.2.1 (``FeatureNets.py``) have them: linear after the LSTM.
Departure: the mean is over real frames, and the LSTM stops at the last real token. MMSA averages
padding too, which shrinks short utterances, and its LSTM runs on over padded tokens.
Departure: no dropout on the LSTM's state. MMSA's configurations name a rate, its code sets it to 0
for an LSTM of one layer (LMF's own code applies it).
Departure: a training batch of one utterance, which has no variance, is normed by the running
statistics and leaves them as they are; torch's batch norm refuses it.
Reconstruction: any non-empty subset of audio and visual beside the text; the sources have both.

Notation: B batch, T frames, F features of a frame, L text length, D width of the text states,
W_m width of a modality's vector.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amb.data.frames import Frames
from amb.model.recurrent import LastState


class BatchNorm(nn.BatchNorm1d):
    """Batch norm that takes a training batch of one utterance, by its running statistics."""

    def forward(self, values: Tensor) -> Tensor:
        """Norm each feature over the batch: (B, F) → (B, F)."""
        if not self.training or len(values) > 1:
            return super().forward(values)
        return F.batch_norm(
            values, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )


class FrameSubNetwork(nn.Module):
    """Frames of one modality → one vector.

    Args:
        features: F.
        width: W_m.
        dropout: Probability, on the normed means.
    """

    def __init__(self, features: int, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = BatchNorm(features)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(nn.Linear(n, width) for n in (features, width, width))

    def forward(self, frames: Frames) -> Tensor:
        """Encode: frames (B, T, F) → (B, W_m)."""
        vector: Tensor = self.dropout(self.norm(mean_over_time(frames)))
        for layer in self.layers:
            vector = torch.relu(layer(vector))
        return vector


class TextSubNetwork(nn.Module):
    """Text states → one vector.

    Args:
        features: D.
        hidden: Width of the LSTM.
        width: W_m.
    """

    def __init__(self, features: int, hidden: int, width: int) -> None:
        super().__init__()
        self.recurrent = LastState(features, hidden)
        self.linear = nn.Linear(hidden, width)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Encode: states (B, L, D) and their mask (B, L) → (B, W_m)."""
        vector: Tensor = self.linear(self.recurrent(states, mask))
        return vector


class SubNetworks(nn.Module):
    """The sub-networks of text and of the audio and visual modalities that the data have.

    Args:
        dimensions: F of each audio or visual modality.
        frame_widths: W_m of ``audio`` and ``visual``.
        frame_dropouts: Dropout of ``audio`` and ``visual``.
        text: The text sub-network's D, hidden width and W_m.
    """

    def __init__(
        self,
        dimensions: Mapping[str, int],
        frame_widths: Mapping[str, int],
        frame_dropouts: Mapping[str, float],
        text: tuple[int, int, int],
    ) -> None:
        super().__init__()
        self.frames = nn.ModuleDict(
            {
                m: FrameSubNetwork(features, frame_widths[m], frame_dropouts[m])
                for m, features in dimensions.items()
            }
        )
        self.text = TextSubNetwork(*text)
        self.widths = {**{m: frame_widths[m] for m in dimensions}, "text": text[2]}

    def forward(
        self, frames: Mapping[str, Frames], text_states: Tensor, text_mask: Tensor
    ) -> dict[str, Tensor]:
        """Encode each modality of a batch, text last.

        Args:
            frames: Audio and visual sequences.
            text_states: (B, L, D).
            text_mask: (B, L) bool.

        Returns:
            (B, W_m) by modality.
        """
        vectors: dict[str, Tensor] = {m: net(frames[m]) for m, net in self.frames.items()}
        return {**vectors, "text": self.text(text_states, text_mask)}


def mean_over_time(frames: Frames) -> Tensor:
    """Average over the real frames of each utterance: (B, T, F) → (B, F)."""
    mask = frames.mask.unsqueeze(-1)
    return frames.values.where(mask, 0.0).sum(1) / mask.sum(1).clamp(min=1)


def with_one(vector: Tensor) -> Tensor:
    """Put a 1 before the vector, so that products keep it alone too: (B, W) → (B, 1 + W)."""
    return F.pad(vector, (1, 0), value=1.0)
