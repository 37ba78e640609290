"""The sizes that rows are measured at: two BERTs, and data of CMU-MOSEI's shape."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BackboneSize:
    """A BERT by its sizes.

    Attributes:
        name: What it is called.
        hidden_size: D.
        layers: Number of encoder layers.
        heads: Attention heads of a layer.
        intermediate_size: Units of a feed-forward block.
        vocabulary: Word-pieces.
        positions: Longest text in word-pieces.
        segments: Types of segments.
    """

    name: str
    hidden_size: int
    layers: int
    heads: int
    intermediate_size: int
    vocabulary: int = 30_522
    positions: int = 512
    segments: int = 2

    @property
    def word_embeddings(self) -> int:
        """The number of parameters in the word embedding."""
        return self.vocabulary * self.hidden_size


MINILM = BackboneSize("MiniLM", 384, 6, 12, 1536)
BERT_BASE = BackboneSize("bert-base-uncased", 768, 12, 12, 3072)
BACKBONES = (MINILM, BERT_BASE)

FRAME_DIMENSIONS = {"audio": 74, "visual": 35}  # COVAREP and FACET, one frame a word
TOKEN_STATES = 300  # GloVe, for the rows that read it in place of words
