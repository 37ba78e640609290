"""The BERT encoder (Devlin et al. 2019, arXiv 1810.04805) over token-packed states.

Parameter names are those of Hugging Face's ``BertModel``, so that any of its checkpoints loads as
it is; a test holds the outputs equal to theirs. RoBERTa (Liu et al. 2019, arXiv 1907.11692) and
XLM-RoBERTa (Conneau et al. 2020, arXiv 1911.02116) are the same encoder but for where the numbers
of positions start. What differs is the arithmetic's shape: padding
exists only inside attention (see ``packing``), which makes a step of short texts 2 to 3 times
faster, and a layer is open between its two blocks, where adapters go.

Notation: B batch, L text length, N word-pieces in the batch, D hidden size, H heads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amb.model.packing import TokenLayout
from amb.model.text_memory import TextMemory

Adapt = Callable[[Tensor], Tensor]
BERT, ROBERTA, XLM_ROBERTA = "bert", "roberta", "xlm-roberta"
MODEL_TYPES = (BERT, ROBERTA, XLM_ROBERTA)
_TANH_GELU = partial(F.gelu, approximate="tanh")
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": _TANH_GELU,
    "gelu_pytorch_tanh": _TANH_GELU,
    "relu": F.relu,
}


@dataclass(frozen=True)
class BertShape:
    """The keys of a BERT ``config.json`` that the encoder needs, under their own names."""

    model_type: str
    hidden_act: str
    pad_token_id: int

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float
    hidden_dropout_prob: float
    attention_probs_dropout_prob: float

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> BertShape:
        """Pick the shape out of a parsed ``config.json``."""
        return cls(**{field.name: config[field.name] for field in fields(cls)})

    @property
    def first_position(self) -> int:
        """The number of a text's first position: RoBERTa counts from the one after its padding."""
        return 0 if self.model_type == BERT else self.pad_token_id + 1

    @property
    def longest_text(self) -> int:
        """The number of word-pieces that positions can be given to, special tokens included."""
        return self.max_position_embeddings - self.first_position


class BertEmbeddings(nn.Module):
    """Word, position and segment embeddings, summed and normalised."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        D = shape.hidden_size
        self.first_position = shape.first_position
        self.word_embeddings = nn.Embedding(shape.vocab_size, D, padding_idx=shape.pad_token_id)
        self.position_embeddings = nn.Embedding(shape.max_position_embeddings, D)
        self.token_type_embeddings = nn.Embedding(shape.type_vocab_size, D)
        self.LayerNorm = nn.LayerNorm(D, eps=shape.layer_norm_eps)
        self.dropout = nn.Dropout(shape.hidden_dropout_prob)

    def forward(self, token_ids: Tensor, layout: TokenLayout) -> Tensor:
        """Embed the batch: ids (B, L) → packed states (N, D)."""
        positions = self.first_position + torch.arange(layout.length, device=token_ids.device)
        positions = positions.expand_as(token_ids)  # (B, L)
        packed_ids = layout.pack(token_ids)  # (N,)
        summed = (
            self.word_embeddings(packed_ids)
            + self.position_embeddings(layout.pack(positions))
            + self.token_type_embeddings(torch.zeros_like(packed_ids))
        )
        states: Tensor = self.dropout(self.LayerNorm(summed))
        return states


class BertProjections(nn.Module):
    """The query, key and value maps of self-attention."""

    def __init__(self, D: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(D, D) for _ in range(3))


class BertOutput(nn.Module):
    """The end of a block: linear map, dropout, residual, norm."""

    def __init__(self, inputs: int, shape: BertShape) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, eps=shape.layer_norm_eps)
        self.dropout = nn.Dropout(shape.hidden_dropout_prob)

    def forward(self, states: Tensor, residual: Tensor, adapt: Adapt | None = None) -> Tensor:
        """Close a block: (N, inputs) and its input (N, D) → (N, D).

        ``adapt`` (N, D) → (N, D), if any, stands before the residual connection.
        """
        mapped = self.dropout(self.dense(states))
        closed: Tensor = self.LayerNorm((adapt(mapped) if adapt else mapped) + residual)
        return closed


class BertAttention(nn.Module):
    """The attention block, under Hugging Face's names ``self`` and ``output``."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.num_heads = shape.num_attention_heads
        self.dropout = nn.Dropout(shape.attention_probs_dropout_prob)
        self.self = BertProjections(shape.hidden_size)
        self.output = BertOutput(shape.hidden_size, shape)

    def forward(
        self, hidden_states: Tensor, layout: TokenLayout, adapt: Adapt | None = None
    ) -> Tensor:
        """Attend and close the block: (N, D) → (N, D)."""
        query, key, value = (
            self._heads(layout.pad(project(hidden_states)))
            for project in (self.self.query, self.self.key, self.self.value)
        )  # each (B, H, L, D/H)
        mixed = self._mix(query, key, value, layout.mask)
        context = layout.pack(mixed.transpose(1, 2).flatten(2))  # (N, D)
        states: Tensor = self.output(context, hidden_states, adapt)
        return states

    def _heads(self, padded: Tensor) -> Tensor:
        B, L, D = padded.shape
        return padded.view(B, L, self.num_heads, D // self.num_heads).transpose(1, 2)

    def _mix(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """Scaled dot-product attention over keys that are not padding."""
        key_mask = mask[:, None, None, :]  # (B, 1, 1, L)
        # On CPUs the fused kernel is several times slower than batched products through oneDNN;
        # dropout inside it would draw from a stream that seeds share.
        if query.is_cuda and not (self.training and self.dropout.p):
            return F.scaled_dot_product_attention(query, key, value, attn_mask=key_mask)
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])  # (B, H, L, L)
        exact = torch.promote_types(scores.dtype, torch.float32)  # float32 where it was bfloat16
        weights = scores.masked_fill(~key_mask, float("-inf")).softmax(-1, dtype=exact)
        mixed: Tensor = self.dropout(weights) @ value
        return mixed


class BertLayer(nn.Module):
    """One encoder layer: attention block, then feed-forward block.

    Args:
        shape: Sizes.

    Attributes:
        bf16: Whether its matrix products are of bfloat16; see ``precision``.
    """

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.bf16 = False
        self.attention = BertAttention(shape)
        self.intermediate = nn.ModuleDict(
            {"dense": nn.Linear(shape.hidden_size, shape.intermediate_size)}
        )
        self.activation = ACTIVATIONS[shape.hidden_act]
        self.output = BertOutput(shape.intermediate_size, shape)

    def attend(
        self, hidden_states: Tensor, layout: TokenLayout, adapt: Adapt | None = None
    ) -> Tensor:
        """Apply the attention block: (N, D) → (N, D)."""
        with self._products(hidden_states):
            states: Tensor = self.attention(hidden_states, layout, adapt)
        return states

    def feed_forward(self, hidden_states: Tensor, adapt: Adapt | None = None) -> Tensor:
        """Apply the feed-forward block: (N, D) → (N, D)."""
        with self._products(hidden_states):
            widened = self.activation(self.intermediate["dense"](hidden_states))
            states: Tensor = self.output(widened, hidden_states, adapt)
        return states

    def _products(self, states: Tensor) -> torch.autocast:
        """Return a context in which products are as exact as this layer's."""
        return torch.autocast(states.device.type, torch.bfloat16, enabled=self.bf16)

    def forward(self, hidden_states: Tensor, layout: TokenLayout) -> Tensor:
        """Apply both blocks: (N, D) → (N, D)."""
        return self.feed_forward(self.attend(hidden_states, layout))


class BertEncoder(nn.Module):
    """Embeddings and layers of BERT, without its pooler.

    Args:
        shape: Sizes, from the checkpoint's ``config.json``.
    """

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.shape = shape
        self.memory: TextMemory | None = None
        self.embeddings = BertEmbeddings(shape)
        layers = nn.ModuleList(BertLayer(shape) for _ in range(shape.num_hidden_layers))
        self.encoder = nn.ModuleDict({"layer": layers})

    @property
    def layers(self) -> list[BertLayer]:
        """The encoder layers, first to last."""
        return list(cast(Iterable[BertLayer], self.encoder["layer"]))

    def freeze(self, dropout: bool) -> None:
        """Stop all gradients into the encoder; without ``dropout`` it becomes deterministic.

        A deterministic encoder reads every text once: see ``text_memory``.
        """
        self.requires_grad_(False)
        if dropout:
            return
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        self.memory = TextMemory()

    def multiply_in_bf16(self) -> None:
        """Take the matrix products of all layers in bfloat16; frozen weights are rounded for good.

        Autocast would round a frozen weight anew in every step.
        """
        for layer in self.layers:
            layer.bf16 = True
            for module in layer.modules():
                if isinstance(module, nn.Linear) and not module.weight.requires_grad:
                    module.to(torch.bfloat16)

    def load_state_dict(self, *arguments: Any, **options: Any) -> Any:
        """Load weights; what was read under others is forgotten."""
        if self.memory is not None:
            self.memory.clear()
        return super().load_state_dict(*arguments, **options)

    def forward(self, token_ids: Tensor, layout: TokenLayout, layers: int | None = None) -> Tensor:
        """Encode plain text.

        Args:
            token_ids: (B, L) int64.
            layout: Where the word-pieces lie.
            layers: How many of the first layers to apply; None: all. Always as many for one model.

        Returns:
            Packed hidden states after them (N, D).
        """
        encode = partial(self._encode, layers=layers)
        if self.memory is None or layers == 0:  # embeddings are as quick to read as a memory
            return encode(token_ids, layout)
        return self.memory.recall(token_ids, layout, encode)

    def _encode(self, token_ids: Tensor, layout: TokenLayout, layers: int | None) -> Tensor:
        hidden_states: Tensor = self.embeddings(token_ids, layout)
        for layer in self.layers[:layers]:
            hidden_states = layer(hidden_states, layout)
        return hidden_states
