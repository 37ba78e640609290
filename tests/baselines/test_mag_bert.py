"""The adaptation gate of MAG-BERT and the frames that it pairs with word-pieces."""

import pytest
import torch

from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape, find_builder
from amb.study import load_study
from baselines.mag_bert import AdaptationGate, frames_of_words

N, D = 6, 8
DIMENSIONS = {"audio": 3, "visual": 5}


@pytest.fixture
def backbone(tiny):
    return Backbone(tiny.backbone, load_study(tiny.file).backbone)


def inputs():
    generator = torch.Generator().manual_seed(2)
    hidden_states = torch.randn(N, D, generator=generator)
    return hidden_states, {m: torch.randn(N, F, generator=generator) for m, F in DIMENSIONS.items()}


def reference(gate, hidden, frames):
    """Shift one word-piece by the paper's equations, with the bias inside the product."""
    H = torch.zeros(D)
    for m, frame in frames.items():
        weight = torch.relu(gate.gates[m](torch.cat([frame, hidden])))
        H = H + weight * gate.projections[m](frame)
    alpha = min((hidden.norm() / (H.norm() + 1e-6)).item() * gate.beta_shift, 1.0)
    return torch.nn.functional.layer_norm(hidden + alpha * H, (D,))


@pytest.mark.parametrize("beta_shift", [0.1, 100.0])
def test_the_gate_shifts_by_the_equations_of_the_paper(beta_shift):
    gate = AdaptationGate(D, DIMENSIONS, beta_shift, dropout=0.5).eval()
    hidden_states, frames = inputs()
    expected = [
        reference(gate, hidden_states[n], {m: f[n] for m, f in frames.items()}) for n in range(N)
    ]
    torch.testing.assert_close(gate(hidden_states, frames), torch.stack(expected))


def test_a_displacement_of_length_0_keeps_its_gradients_finite():
    gate = AdaptationGate(D, DIMENSIONS, 1.0, dropout=0.0)
    for linear in (*gate.gates.values(), *gate.projections.values()):
        torch.nn.init.zeros_(linear.bias)
    hidden_states, frames = inputs()
    silent = {m: torch.zeros_like(f) for m, f in frames.items()}
    gate(hidden_states, silent).square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in gate.parameters())


def test_a_frame_is_repeated_over_the_pieces_of_its_word_and_zero_at_special_tokens():
    values = torch.arange(12.0).reshape(2, 3, 2) + 1
    frames = Frames(values, torch.tensor([[True, True, True], [True, False, False]]))
    word = torch.tensor([-1, 0, 0, 2, -1, -1, 0, -1])
    utterance = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1])
    own = frames_of_words(frames, word, utterance, aligned=True)
    zero = torch.zeros(2)
    first, third, other = values[0, 0], values[0, 2], values[1, 0]
    assert torch.equal(own, torch.stack([zero, first, first, third, zero, zero, other, zero]))


def test_unaligned_words_get_the_mean_frame_of_their_own_utterance_without_padding():
    values = torch.tensor([[[1.0], [3.0]], [[5.0], [1e3]]])
    frames = Frames(values, torch.tensor([[True, True], [True, False]]))
    word, utterance = torch.tensor([-1, 0, 1, 0]), torch.tensor([0, 0, 0, 1])
    own = frames_of_words(frames, word, utterance, aligned=False)
    assert own.squeeze(1).tolist() == [0, 2, 2, 5]


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_one_modality_is_enough(backbone, modality):
    features = FeatureShape({modality: 3}, {modality: False})
    model = find_builder("mag_bert")({}, backbone, features)
    assert list(model.gate.gates) == [modality]


def test_the_place_of_the_gate_must_lie_before_a_layer(backbone):
    features = FeatureShape({"audio": 3}, {"audio": False})
    assert find_builder("mag_bert")({"after_layer": 1}, backbone, features).after_layer == 1
    with pytest.raises(InputError, match=r"after_layer: found 2, expected 0 to 1"):
        find_builder("mag_bert")({"after_layer": 2}, backbone, features)


def test_head_and_gate_begin_like_berts_own_maps(backbone):
    features = FeatureShape({"audio": 3}, {"audio": False})
    model = find_builder("mag_bert")({}, backbone, features)
    weight = model.gate.gates["audio"].weight
    assert abs(weight.std() - 0.02) < 0.002
    assert not model.head.bias.any()
