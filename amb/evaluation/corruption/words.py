"""Corruptions of words: word-pieces replaced by [MASK].

Notation: B batch, L longest text of the batch in word-pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from amb.data.batches import Batch
from amb.errors import InputError
from amb.evaluation.corruption.fields import FieldKey, uniform

MASKS = ("[MASK]", "<mask>")  # of BERT, of RoBERTa


def mask_token_id(backbone: Path) -> int:
    """Return the id of a prepared backbone's mask token.

    Args:
        backbone: Its folder, with ``tokenizer.json``.

    Returns:
        The id.

    Raises:
        InputError: Its vocabulary has no mask token.
    """
    tokenizer = Tokenizer.from_file(str(backbone / "tokenizer.json"))
    ids = [found for name in MASKS if (found := tokenizer.token_to_id(name)) is not None]
    if not ids:
        file = backbone / "tokenizer.json"
        raise InputError(file, "vocabulary", "no mask token", f"one of {', '.join(MASKS)}")
    return int(ids[0])


def mask_share(
    batch: Batch, level: float, key: FieldKey, utterances: Sequence[str], mask_id: int
) -> Tensor:
    """Replace a share of the word-pieces, special tokens not counted: token ids (B, L)."""
    chance = key.padded(uniform, utterances, batch.token_mask)
    return torch.where((chance < level) & (batch.word_index >= 0), mask_id, batch.token_ids)


def mask_all(batch: Batch, lacking: Tensor, mask_id: int) -> Tensor:
    """Replace all word-pieces of the utterances ``lacking`` (B,) bool: token ids (B, L)."""
    gone = lacking[:, None] & (batch.word_index >= 0)
    return torch.where(gone, mask_id, batch.token_ids)
