"""The crossmodal transformer of MulT: one sequence rewritten by what it attends to in another.

Tsai, Bai, Liang, Kolter, Morency, Salakhutdinov 2019, ACL, arXiv 1906.00295, section 3. From a
source α to a target β, layer i of a transformer::

    Ẑ_i = CM(LN(Z_{i-1}), LN(Z⁰_α)) + LN(Z_{i-1});  Z_i = f(LN(Ẑ_i)) + LN(Ẑ_i)

with CM multi-head attention, f two linear maps with a ReLU, and sinusoidal positions
added to both inputs. Without a source the sequence attends to itself: MulT's "memory".

Departure: the residual is Z_{i-1} itself, not its norm, the inputs are scaled by √W and the result
is normalised once more, as in the authors' code.
Departure: padding is masked, and positions count frames. The authors' code and MMSA's have no mask
of padding; there a frame whose first feature is exactly 0 has no position.
Departure: the mask of the future (their ``attn_mask``: query i sees keys j ≤ i + |T_α − T_β|)
takes T of the utterance, not of the padded batch, so that it does not depend on the company.

Notation: B batch, T_α and T_β frames of source and target, W width, H heads.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amb.data.frames import Frames


class CrossmodalAttention(nn.Module):
    """Multi-head attention whose queries are one sequence and whose keys another.

    Args:
        width: W.
        heads: H.
        dropout: Probability, on the weights of attention.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(3 * width, width)))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = _linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, allowed: Tensor) -> Tensor:
        """Attend.

        Args:
            query: (B, T_β, W).
            key: (B, T_α, W).
            value: (B, T_α, W).
            allowed: (B, 1, T_β, T_α) bool, at least one key for each query.

        Returns:
            (B, T_β, W).
        """
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (
            self._heads(F.linear(states, weight, bias))
            for states, weight, bias in zip((query, key, value), weights, biases, strict=True)
        )  # each (B, H, T, W/H)
        mixed = self._mix(q, k, v, allowed)
        attended: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return attended

    def _heads(self, states: Tensor) -> Tensor:
        B, T, W = states.shape
        return states.view(B, T, self.heads, W // self.heads).transpose(1, 2)

    def _mix(self, query: Tensor, key: Tensor, value: Tensor, allowed: Tensor) -> Tensor:
        # On CPUs the fused kernel is slower than batched products; dropout inside it would draw
        # from a stream that seeds share.
        if query.is_cuda and not (self.training and self.dropout.p):
            return fused_attention(query, key, value, allowed)
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        weights = scores.masked_fill(~allowed, float("-inf")).softmax(-1)
        mixed: Tensor = self.dropout(weights) @ value
        return mixed


class CrossmodalLayer(nn.Module):
    """One layer: attention, then a feed-forward block, each with a residual.

    Args:
        width: W.
        heads: H.
        attention_dropout: Probability, on the weights of attention.
        relu_dropout: Probability, inside the feed-forward block.
        residual_dropout: Probability, on what is added to the residual.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        attention_dropout: float,
        relu_dropout: float,
        residual_dropout: float,
    ) -> None:
        super().__init__()
        self.attention = CrossmodalAttention(width, heads, attention_dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.widen = _linear(width, 4 * width)
        self.narrow = _linear(4 * width, width)
        self.relu_dropout = nn.Dropout(relu_dropout)
        self.residual_dropout = nn.Dropout(residual_dropout)

    def forward(
        self, states: Tensor, source: tuple[Tensor, Tensor] | None, allowed: Tensor
    ) -> Tensor:
        """Rewrite states (B, T_β, W) by a source's keys and values (B, T_α, W), or by their own."""
        query = self.attention_norm(states)
        key, value = (query, query) if source is None else map(self.attention_norm, source)
        attended = self.attention(query, key, value, allowed)
        states = states + self.residual_dropout(attended)
        widened = self.relu_dropout(torch.relu(self.widen(self.feed_forward_norm(states))))
        rewritten: Tensor = states + self.residual_dropout(self.narrow(widened))
        return rewritten


class CrossmodalTransformer(nn.Module):
    """Layers over a target sequence, all of which attend to one source or to the target itself.

    Args:
        layers: The layers, first to last.
        width: W.
        dropout: Probability, on the inputs.
        causal: Whether the future is masked.
        positions: Whether sinusoidal positions are added to the inputs.
    """

    def __init__(
        self,
        layers: list[CrossmodalLayer],
        width: int,
        dropout: float,
        causal: bool,
        positions: bool,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.scale = math.sqrt(width)
        self.dropout = nn.Dropout(dropout)
        self.causal = causal
        self.positions = positions
        self.norm = nn.LayerNorm(width)

    def forward(self, target: Frames, source: Frames | None = None) -> Frames:
        """Rewrite the target (B, T_β, W) by the source (B, T_α, W) → the target's shape."""
        memory = None if source is None else (self._embed(source), self._embed(source))
        allowed = self._allowed(target.mask, target.mask if source is None else source.mask)
        states = self._embed(target)
        for layer in self.layers:
            states = layer(states, memory, allowed)
        return Frames(self.norm(states), target.mask)

    def _embed(self, frames: Frames) -> Tensor:
        """Scale, add positions, drop; keys and values draw their dropout apart, as in MulT."""
        states = self.scale * frames.values
        if self.positions:
            states = states + sinusoids(states.shape[1], states.shape[2], states.device)
        dropped: Tensor = self.dropout(states)
        return dropped

    def _allowed(self, target: Tensor, source: Tensor) -> Tensor:
        """Say which keys a query may see: masks (B, T_β) and (B, T_α) → (B, 1, T_β, T_α)."""
        allowed = source[:, None, None, :].expand(-1, 1, target.shape[1], -1)
        if not self.causal:
            return allowed
        query = torch.arange(target.shape[1], device=target.device)[:, None]
        key = torch.arange(source.shape[1], device=target.device)
        ahead = (source.sum(1) - target.sum(1)).abs()  # (B,)
        return allowed & (key <= query + ahead[:, None, None, None])


def fused_attention(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor) -> Tensor:
    """Attend with torch's fused kernel, which has no (T_β, T_α) weights in memory.

    Args:
        query: (B, H, T_β, W/H).
        key: (B, H, T_α, W/H).
        value: (B, H, T_α, W/H).
        allowed: (B, 1, T_β, T_α) bool.

    Returns:
        (B, H, T_β, W/H).
    """
    size = query.shape[-1]  # MulT's heads are 5 or 10 wide; the kernels want multiples of 8
    query, key, value = (F.pad(states, (0, -size % 8)) for states in (query, key, value))
    mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed, scale=size**-0.5)
    return mixed[..., :size]


def sinusoids(length: int, width: int, device: torch.device) -> Tensor:
    """Return sinusoidal positions, as tensor2tensor and MulT have them.

    Args:
        length: T; positions count from 1.
        width: W; sines in the first half, cosines in the second, 0 in an odd last place.
        device: Where they are made.

    Returns:
        (T, W).
    """
    half = width // 2
    frequency = torch.exp(
        torch.arange(half, device=device) * (-math.log(10_000) / max(half - 1, 1))
    )
    angle = torch.arange(1, length + 1, device=device)[:, None] * frequency
    return F.pad(torch.cat([angle.sin(), angle.cos()], dim=1), (0, width % 2))


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a linear map as MulT initialises it."""
    linear = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
