"""A frozen encoder reads every text once, and says the same as one that reads it anew."""

from __future__ import annotations

import pytest
import torch

from amb.model.backbone import Backbone
from amb.model.packing import TokenLayout
from amb.model.text_memory import TextMemory
from amb.study import load_study

IDS = torch.tensor([[101, 7592, 2088, 102, 0], [101, 7592, 102, 0, 0], [101, 5, 6, 7, 102]])
MASK = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]).bool()


@pytest.fixture
def backbone(tiny):
    return Backbone(tiny.backbone, load_study(tiny.file).backbone)


def test_what_is_remembered_is_what_would_be_read(backbone):
    frozen, tuned = backbone.load(trainable=False).train(), backbone.load(trainable=True).eval()
    fresh = tuned(IDS, TokenLayout(MASK))
    for _ in range(2):
        torch.testing.assert_close(frozen(IDS, TokenLayout(MASK)), fresh, atol=1e-5, rtol=1e-5)
    rows = torch.tensor([2, 0])
    again = frozen(IDS[rows], TokenLayout(MASK[rows]))
    torch.testing.assert_close(again, torch.cat([fresh[7:], fresh[:4]]), atol=1e-5, rtol=1e-5)


def test_a_text_is_encoded_once_and_new_ones_beside_it(backbone):
    memory, read = TextMemory(), []
    frozen = backbone.load(trainable=False)

    def encode(ids, layout):
        read.extend(ids[:, 1].tolist())
        return frozen._encode(ids, layout, None)

    memory.recall(IDS[:1], TokenLayout(MASK[:1]), encode)
    memory.recall(IDS, TokenLayout(MASK), encode)
    memory.recall(IDS, TokenLayout(MASK), encode)
    assert read == [7592, 7592, 5]


def test_what_was_kept_in_inference_serves_in_training(backbone):
    frozen = backbone.load(trainable=False)
    with torch.inference_mode():
        frozen(IDS.clone(), TokenLayout(MASK.clone()))
    layer = torch.nn.Linear(32, 1)
    layer(frozen(IDS, TokenLayout(MASK))).sum().backward()
    assert layer.weight.grad.abs().max() > 0


def test_the_limit_bounds_what_is_kept_and_not_what_is_read(backbone):
    frozen = backbone.load(trainable=False)
    expected = frozen(IDS, TokenLayout(MASK))
    one_text = 4 * 32 * 4
    frozen.memory = TextMemory(limit_bytes=one_text)
    torch.testing.assert_close(frozen(IDS, TokenLayout(MASK)), expected)
    assert frozen.memory._bytes <= one_text
    torch.testing.assert_close(frozen(IDS, TokenLayout(MASK)), expected)


def test_other_weights_clear_the_memory(backbone):
    frozen = backbone.load(trainable=False)
    before = frozen(IDS, TokenLayout(MASK))
    frozen.load_state_dict({n: v * 1.1 for n, v in frozen.state_dict().items()})
    assert not torch.allclose(frozen(IDS, TokenLayout(MASK)), before)


def test_with_dropout_nothing_is_remembered(backbone):
    encoder = backbone.load(trainable=False)
    encoder = type(encoder)(encoder.shape)
    encoder.freeze(dropout=True)
    assert encoder.memory is None
