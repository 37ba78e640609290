"""Adapter, audio-visual encoder and fusion layer against short references."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from amb.data.batches import Batch, Frames
from amb.model.adapter import Adapter
from amb.model.audiovisual import ModalityEncoder
from amb.model.fusion import CrossAttention, FusionLayer, WordAligned
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
    adapter = Adapter(8, 3)
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
    picked = WordAligned()(torch.zeros(8, 1), states, batch, "audio", layout)
    zero, first, second = [0.0, 0.0], states[0, 0].tolist(), states[0, 1].tolist()
    other = states[1, 0].tolist()
    assert picked.tolist() == [zero, first, first, second, zero, zero, other, zero]


def test_cross_attention_ignores_padded_frames(batch):
    layout = TokenLayout(MASK)
    attention = CrossAttention(6, 2)
    states = torch.randn(2, 2, 2)
    hidden = torch.randn(8, 6)
    attended = attention(hidden, states, batch, "audio", layout)
    # The second text has one frame: whatever is asked, the answer is that frame.
    torch.testing.assert_close(attended[5:], states[1, :1].expand(3, 2))
    states[1, 1] = 1e3
    torch.testing.assert_close(attention(hidden, states, batch, "audio", layout), attended)


def test_new_fusion_layer_is_the_identity_and_learns(batch):
    layer = FusionLayer(6, {"audio": 2}, {"audio": True}, bottleneck=3)
    hidden, states = torch.randn(8, 6), {"audio": torch.randn(2, 2, 2)}
    fused = layer(hidden, states, batch, TokenLayout(MASK))
    torch.testing.assert_close(fused, hidden)
    fused.sum().backward()
    assert layer.up_proj.weight.grad.abs().max() > 0


def test_fusion_layer_equals_its_equation(batch):
    layer = FusionLayer(6, {"audio": 2}, {"audio": True}, bottleneck=3)
    torch.nn.init.normal_(layer.up_proj.weight)
    hidden, states = torch.randn(8, 6), {"audio": torch.randn(2, 2, 2)}
    layout = TokenLayout(MASK)
    audio = WordAligned()(hidden, states["audio"], batch, "audio", layout)
    down, up = layer.down_proj, layer.up_proj
    inner = (torch.cat([hidden, audio], 1) @ down.weight.T + down.bias).clamp(min=0)
    expected = hidden + inner @ up.weight.T + up.bias
    torch.testing.assert_close(layer(hidden, states, batch, layout), expected)


def test_encoder_ignores_padded_frames(batch):
    encoder = ModalityEncoder(4, width=5).eval()
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
    encoder = ModalityEncoder(4, width=5)
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
