"""Adapters, audio-visual encoders, alignment and fusion operators against short references."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.model.adapter import Adapter, AdapterShape
from amb.model.alignment import CrossAttention, Pooled, WordAligned
from amb.model.audiovisual import ENCODERS, RecurrentEncoder, sinusoidal_positions
from amb.model.fusion import OPERATORS, FusionShape
from amb.model.packing import TokenLayout

#              [CLS] w0 w0 w1 [SEP]      [CLS] w0 [SEP]
WORD_INDEX = torch.tensor([[-1, 0, 0, 1, -1], [-1, 0, -1, -1, -1]])
MASK = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
FRAME_MASK = torch.tensor([[True, True], [True, False]])


@pytest.fixture
def batch():
    values = torch.randn(2, 2, 4, generator=torch.Generator().manual_seed(0))
    frames = {"audio": Frames(values * FRAME_MASK.unsqueeze(-1), FRAME_MASK)}
    return Batch(torch.zeros(2, 5, dtype=torch.long), MASK, WORD_INDEX, frames)


def test_new_adapter_is_nearly_the_identity():
    states = torch.randn(7, 32)
    change = Adapter(32)(states) - states
    assert 0 < change.abs().max() < 0.05


def test_adapter_equals_its_equation():
    adapter = Adapter(8, AdapterShape(bottleneck=3))
    states = torch.randn(5, 8)
    down, up = adapter.down_proj, adapter.up_proj
    hidden = (states @ down.weight.T + down.bias).clamp(min=0)
    torch.testing.assert_close(adapter(states), states + hidden @ up.weight.T + up.bias)


def test_default_bottleneck_is_a_sixteenth():
    assert Adapter(768).down_proj.out_features == 48
    assert Adapter(384).down_proj.out_features == 24


def test_word_aligned_states_repeat_over_word_pieces_and_vanish_at_special_tokens(batch):
    layout = TokenLayout(MASK)
    states = torch.arange(1.0, 9.0).view(2, 2, 2)  # word k of text b
    picked = WordAligned("audio")(torch.zeros(8, 1), states, batch, layout)
    zero, first, second = [0.0, 0.0], states[0, 0].tolist(), states[0, 1].tolist()
    other = states[1, 0].tolist()
    assert picked.tolist() == [zero, first, first, second, zero, zero, other, zero]


def test_cross_attention_ignores_padded_frames(batch):
    layout = TokenLayout(MASK)
    attention = CrossAttention("audio", 6, 2)
    states = torch.randn(2, 2, 2)
    hidden = torch.randn(8, 6)
    attended = attention(hidden, states, batch, layout)
    # The second text has one frame: whatever is asked, the answer is that frame.
    torch.testing.assert_close(attended[5:], states[1, :1].expand(3, 2))
    states[1, 1] = 1e3
    torch.testing.assert_close(attention(hidden, states, batch, layout), attended)


def test_pooled_states_are_the_mean_of_real_frames(batch):
    states = torch.randn(2, 2, 3)
    pooled = Pooled("audio")(torch.zeros(8, 1), states, batch, TokenLayout(MASK))
    torch.testing.assert_close(pooled[:5], states[0].mean(0).expand(5, 3))
    torch.testing.assert_close(pooled[5:], states[1, 0].expand(3, 3))


def test_a_new_adapter_of_zero_spread_is_the_identity_and_still_learns():
    torch.manual_seed(6)  # one of its few hidden units may be dead for all five states
    adapter = Adapter(8, AdapterShape(initial_std=0.0))
    states = torch.randn(5, 8)
    assert torch.equal(adapter(states), states)
    adapter(states).pow(2).sum().backward()
    assert adapter.up_proj.weight.grad.abs().max() > 0


SHAPE = FusionShape(6, {"audio": 2}, {"audio": True}, bottleneck=3)
FIRST = torch.tensor([0, 5])  # [CLS] of the two texts among the packed word-pieces


def trained(operator):
    layer = OPERATORS[operator](SHAPE)
    torch.nn.init.normal_(layer.up_proj.weight)
    torch.nn.init.normal_(layer.up_proj.bias)
    return layer


def linear(layer, inputs):
    return inputs @ layer.weight.T + layer.bias


def mean_states(states):
    mean = torch.stack([states[0].mean(0), states[1, 0]])
    return torch.cat([mean[:1].expand(5, 2), mean[1:].expand(3, 2)])


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_new_fusion_layer_adds_nothing_and_learns(batch, operator):
    layer = OPERATORS[operator](SHAPE)
    hidden, states = torch.randn(8, 6), {"audio": torch.randn(2, 2, 2)}
    added = layer(hidden, states, batch, TokenLayout(MASK))
    assert torch.equal(added, torch.zeros(8, 6))
    added.sum().backward()
    assert layer.up_proj.weight.grad.abs().max() > 0


@pytest.mark.parametrize("operator", ["word", "side", "pooled", "cls", "attention"])
def test_an_operator_equals_its_equation(batch, operator):
    layer, layout = trained(operator), TokenLayout(MASK)
    hidden, states = torch.randn(8, 6), torch.randn(2, 2, 2)
    audio = {
        "word": lambda: WordAligned("audio")(hidden, states, batch, layout),
        "pooled": lambda: mean_states(states),
        "attention": lambda: layer.alignments["audio"](hidden, states, batch, layout),
    }[{"side": "word", "cls": "pooled"}.get(operator, operator)]()
    mixed = linear(layer.mix.down_proj, torch.cat([hidden, audio], 1)).clamp(min=0)
    expected = linear(layer.up_proj, mixed)
    if operator == "cls":
        expected = torch.zeros(8, 6).index_copy(0, FIRST, expected[FIRST])
    torch.testing.assert_close(layer(hidden, {"audio": states}, batch, layout), expected)


def test_gated_fusion_equals_its_equation(batch):
    layer, layout = trained("gated"), TokenLayout(MASK)
    hidden, states = torch.randn(8, 6), torch.randn(2, 2, 2)
    audio = WordAligned("audio")(hidden, states, batch, layout)
    gate = linear(layer.mix.gate, torch.cat([hidden, audio], 1)).sigmoid()
    text = linear(layer.mix.text, hidden).clamp(min=0)
    heard = linear(layer.mix.audiovisual, audio).clamp(min=0)
    expected = linear(layer.up_proj, gate * text + (1 - gate) * heard)
    torch.testing.assert_close(layer(hidden, {"audio": states}, batch, layout), expected)


def test_word_fusion_attends_where_data_are_not_word_aligned():
    layer = OPERATORS["word"](FusionShape(6, {"audio": 2}, {"audio": False}, 3))
    assert isinstance(layer.alignments["audio"], CrossAttention)
    assert isinstance(OPERATORS["attention"](SHAPE).alignments["audio"], CrossAttention)


@pytest.mark.parametrize("kind", ENCODERS)
def test_an_encoder_is_finite_and_blind_to_padding_and_to_nothing_at_all(kind):
    encoder = ENCODERS[kind](4, width=8, dropout=0.0).eval()
    mask = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])
    values = torch.randn(3, 3, 4) * mask.unsqueeze(-1)
    states = encoder(Frames(values, mask))
    assert states.shape == (3, 3, 8)
    assert torch.isfinite(states).all()
    assert states[~mask].abs().max() == 0
    polluted = torch.where(mask.unsqueeze(-1), values, 1e3)
    torch.testing.assert_close(encoder(Frames(polluted, mask)), states)
    alone = encoder(Frames(values[1:2, :1], mask[1:2, :1]))
    torch.testing.assert_close(alone[0, 0], states[1, 0])


def test_positions_are_those_of_the_paper():
    signals = sinusoidal_positions(5, 6)
    for place in range(5):
        for pair in range(3):
            angle = torch.tensor(place / 10_000 ** (2 * pair / 6))
            torch.testing.assert_close(signals[place, 2 * pair], angle.sin())
            torch.testing.assert_close(signals[place, 2 * pair + 1], angle.cos())


def test_encoder_ignores_padded_frames(batch):
    encoder = RecurrentEncoder(4, width=5).eval()
    frames = batch.frames["audio"]
    states = encoder(frames)
    assert states.shape == (2, 2, 5)
    assert states[1, 1].abs().max() == 0
    polluted = frames.values.clone()
    polluted[1, 1] = 1e3
    torch.testing.assert_close(encoder(Frames(polluted, frames.mask)), states)
    alone = Frames(frames.values[1:, :1], frames.mask[1:, :1])
    torch.testing.assert_close(encoder(alone)[0], states[1, :1])


def test_encoder_sums_the_two_directions_of_a_bidirectional_lstm():
    encoder = RecurrentEncoder(4, width=5)
    reference = torch.nn.LSTM(4, 5, batch_first=True, bidirectional=True)
    for name, value in encoder.forwards.named_parameters():
        reference.get_parameter(name).data.copy_(value.data)
    for name, value in encoder.backwards.named_parameters():
        reference.get_parameter(f"{name}_reverse").data.copy_(value.data)
    values, lengths = torch.randn(3, 6, 4), torch.tensor([6, 1, 4])
    mask = torch.arange(6) < lengths[:, None]
    packed = pack_padded_sequence(values, lengths, batch_first=True, enforce_sorted=False)
    both, _ = pad_packed_sequence(reference(packed)[0], batch_first=True)
    expected = both[..., :5] + both[..., 5:]
    torch.testing.assert_close(encoder._recur(Frames(values, mask))[mask], expected[mask])
