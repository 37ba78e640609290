"""Fine-tuning only the embedding rows that training can reach.

AdamW leaves a row alone that never gets a gradient and does not decay (ours does not decay
embeddings), but a dense gradient, two moments and a norm over 30,522 rows still cost a third of a
step of a small BERT. The rows of word-pieces that occur in the training texts are therefore made a
small parameter of their own; all others stay in the frozen table. The arithmetic is the same, and
a checkpoint holds a few hundred rows and not the whole matrix.

Notation: V vocabulary, U word-pieces that occur in training, D hidden size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amb.model.method import SentimentModel

PARENT = "backbone.embeddings"
FULL = "word_embeddings"


class SeenEmbedding(nn.Module):
    """Stands in for an embedding: trains U rows, reads the others from the frozen table.

    Args:
        table: (V, D) pretrained rows.
        seen: (U,) int64, ids of the rows that train, ascending.
    """

    table: Tensor
    place: Tensor

    def __init__(self, table: Tensor, seen: Tensor) -> None:
        super().__init__()
        self.rows = nn.Parameter(table[seen].clone())
        place = torch.full((table.shape[0],), -1, device=table.device)
        place[seen] = torch.arange(len(seen), device=table.device)
        self.register_buffer("table", table.detach(), persistent=False)
        self.register_buffer("place", place, persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Look up: ids (N,) → (N, D)."""
        place = self.place[ids]
        trained = nn.functional.embedding(place.clamp(min=0), self.rows)
        return torch.where((place >= 0).unsqueeze(-1), trained, self.table[ids])


def train_seen_rows_only(model: SentimentModel, token_ids: Tensor) -> dict[str, Tensor]:
    """Replace a trainable word embedding by one that trains the rows of ``token_ids`` only.

    Args:
        model: Changed in place; a model without a trainable ``backbone`` embedding is left alone.
        token_ids: Word-pieces of the training texts, in any shape.

    Returns:
        The ids of the rows that train, by the name of their parameter: what
        ``full_embeddings`` needs to undo it.
    """
    embeddings = dict(model.named_modules()).get(PARENT)
    full = getattr(embeddings, FULL, None)
    if not isinstance(full, nn.Embedding) or not full.weight.requires_grad:
        return {}
    seen = token_ids.unique()
    setattr(embeddings, FULL, SeenEmbedding(full.weight.detach(), seen))
    return {f"{PARENT}.{FULL}.rows": seen}
