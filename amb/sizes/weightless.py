"""A backbone that has sizes and no weights: what a model is built on when only its size matters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch import Tensor

from amb.model.backbone import Backbone
from amb.model.bert import BERT, BertEncoder, BertShape
from amb.sizes.settings import BackboneSize
from amb.study import BackboneSettings


@dataclass(frozen=True)
class WeightlessBackbone(Backbone):
    """A backbone without a folder; its weights are those of a new encoder.

    On torch's meta device, where a tensor is a shape and a type, it takes no memory.

    Attributes:
        bert: The sizes of the encoder.
    """

    bert: BertShape

    @classmethod
    def of(cls, size: BackboneSize) -> WeightlessBackbone:
        """Return a backbone of a size."""
        return cls(Path(), BackboneSettings(size.name), bert_shape(size))

    @cached_property
    def shape(self) -> BertShape:
        """The sizes of the encoder."""
        return self.bert

    def weights(self) -> dict[str, Tensor]:
        """Return the weights of a new encoder, under Hugging Face's names."""
        return BertEncoder(self.bert).state_dict()


def bert_shape(size: BackboneSize) -> BertShape:
    """Return the shape of an uncased BERT of a size; what does not change its size is Devlin's."""
    return BertShape(
        model_type=BERT,
        hidden_act="gelu",
        pad_token_id=0,
        vocab_size=size.vocabulary,
        hidden_size=size.hidden_size,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.intermediate_size,
        max_position_embeddings=size.positions,
        type_vocab_size=size.segments,
        layer_norm_eps=1e-12,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
    )
