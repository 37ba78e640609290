"""The BERT encoders inside a model: noise on their word embeddings, and their memory of texts.

Every method reads words through a ``BertEncoder``, wherever it keeps it; noise is added by a hook
on the encoder's word embeddings, so that no method knows of it. A frozen encoder remembers the
states of a text by its word-pieces: under noise that memory would give clean states, and keep
noisy ones. It is therefore put away while words or their embeddings are corrupted.

Notation: B batch, L longest text of the batch, N word-pieces in the batch, D hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.evaluation.corruption.fields import FieldKey, normal
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder

WORD_TABLE = "embeddings.word_embeddings.weight"


def encoders_of(model: nn.Module) -> list[BertEncoder]:
    """Return the BERT encoders of a model."""
    return [module for module in model.modules() if isinstance(module, BertEncoder)]


def embedding_rms(backbone: Backbone) -> float:
    """Return the root mean square of the pretrained word embeddings."""
    return float(backbone.weights()[WORD_TABLE].float().square().mean().sqrt())


@contextmanager
def without_memory(model: nn.Module) -> Iterator[None]:
    """Let the model's encoders read every text anew; what they remembered is kept for later."""
    memories = [(encoder, encoder.memory) for encoder in encoders_of(model)]
    try:
        for encoder, _ in memories:
            encoder.memory = None
        yield
    finally:
        for encoder, memory in memories:
            encoder.memory = memory


class EmbeddingNoise:
    """Noise for the word embeddings of one batch after the other.

    Args:
        key: What the noise depends on beside the utterance.
        std: Its standard deviation, σ times the table's rms.
        width: D.
    """

    def __init__(self, key: FieldKey, std: float, width: int) -> None:
        self.key, self.std, self.width = key, std, width
        self.packed: Tensor | None = None  # (N, D), of the batch that is read next

    def begin(self, batch: Batch, utterances: Sequence[str]) -> None:
        """Draw the noise of a batch; special tokens have none."""
        noise = self.key.padded(normal, utterances, batch.token_mask, self.width)  # (B, L, D)
        noise = self.std * torch.where(batch.word_index.unsqueeze(-1) >= 0, noise, 0.0)
        self.packed = noise[batch.token_mask]  # as the encoder packs them

    @contextmanager
    def on(self, model: nn.Module) -> Iterator[None]:
        """Add the noise to what the model's encoders embed, as long as the context is open."""
        with ExitStack() as stack:
            stack.enter_context(without_memory(model))
            for encoder in encoders_of(model):
                handle = encoder.embeddings.word_embeddings.register_forward_hook(self._hook())
                stack.callback(handle.remove)
            yield

    def _hook(self) -> Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor]:
        def add(_: nn.Module, __: tuple[Any, ...], embedded: Tensor) -> Tensor:
            if self.packed is None or self.packed.shape != embedded.shape:
                wanted = None if self.packed is None else tuple(self.packed.shape)
                raise RuntimeError(
                    f"word embeddings {tuple(embedded.shape)} are not those of the batch, {wanted}:"
                    " embedding_noise needs a method that embeds whole batches in their order"
                )
            return embedded + self.packed

        return add
