"""MISA's encoders and the sums of its loss, against short references."""

import pytest
import torch
from torch.nn import functional as F

from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.method import FeatureShape
from amb.model.representation_losses import central_moment_discrepancy, difference_loss
from amb.study import load_study
from baselines import misa


@pytest.fixture
def backbone(tiny):
    return Backbone(tiny.backbone, load_study(tiny.file).backbone)


@pytest.fixture
def found():
    generator = torch.Generator().manual_seed(4)
    draw = [[torch.rand(5, 6, generator=generator) for _ in range(3)] for _ in range(3)]
    return misa.Representations(*draw)


def bidirectional(lstm):
    """Return torch's biLSTM with the weights of ours."""
    own = lstm.state_dict()
    reference = torch.nn.LSTM(
        lstm.forwards.input_size, lstm.forwards.hidden_size, batch_first=True, bidirectional=True
    )
    names = {k.removeprefix("forwards.") for k in own if k.startswith("forwards.")}
    reference.load_state_dict(
        {
            **{name: own[f"forwards.{name}"] for name in names},
            **{f"{name}_reverse": own[f"backwards.{name}"] for name in names},
        }
    )
    return reference


def test_the_frame_encoder_equals_two_packed_bilstms_with_a_norm_between():
    encoder = misa.FrameEncoder(3)
    values, lengths = torch.randn(2, 4, 3), [4, 2]
    mask = torch.arange(4) < torch.tensor(lengths)[:, None]
    first, second = bidirectional(encoder.first), bidirectional(encoder.second)
    for row, length in enumerate(lengths):
        states, (final_1, _) = first(values[row : row + 1, :length])
        _, (final_2, _) = second(F.layer_norm(states, (6,)))
        expected = torch.cat([final_1[0], final_2[0], final_1[1], final_2[1]], dim=-1)
        torch.testing.assert_close(encoder(Frames(values, mask))[row], expected[0])


def test_recurrent_weights_start_orthogonal():
    weight = misa.FrameEncoder(5).first.backwards.weight_hh_l0
    torch.testing.assert_close(weight.T @ weight, torch.eye(5))


def test_similarity_is_the_mean_over_pairs_of_shared_representations(found):
    t, v, a = found.shared
    pairs = [(t, v), (t, a), (v, a)]
    expected = sum(central_moment_discrepancy(*pair) for pair in pairs) / 3
    torch.testing.assert_close(misa._similarity(found), expected)


def test_difference_is_the_sum_over_six_pairs(found):
    (pt, pv, pa), (st, sv, sa) = found.private, found.shared
    pairs = [(pt, st), (pv, sv), (pa, sa), (pt, pv), (pt, pa), (pv, pa)]
    expected = sum(difference_loss(*pair) for pair in pairs)
    torch.testing.assert_close(misa._difference(found), expected)


def test_reconstruction_decodes_the_sum_of_private_and_shared(found):
    subspaces = misa.Subspaces({"text": 8, "visual": 8, "audio": 8}, 6)
    expected = 0.0
    for k, decode in enumerate(subspaces.decode.values()):
        decoded = (found.private[k] + found.shared[k]) @ decode.weight.T + decode.bias
        expected = expected + (decoded - found.projected[k]).square().mean() / 3
    torch.testing.assert_close(subspaces.reconstruction(found), expected)


def test_the_loss_weighs_its_terms(backbone, monkeypatch):
    options = {"similarity_weight": 2, "difference_weight": 3.0, "reconstruction_weight": 5.0}
    model = misa.build(options, backbone, FeatureShape({"audio": 2}, {"audio": False}))
    values = {"task": 1.0, "similarity": 10.0, "difference": 100.0, "reconstruction": 1000.0}
    terms = {name: torch.tensor(value) for name, value in values.items()}
    monkeypatch.setattr(model, "loss_terms", lambda batch: terms)
    assert model.loss(None).item() == 1 + 2 * 10 + 3 * 100 + 5 * 1000


def test_an_odd_width_is_refused(backbone):
    shape = FeatureShape({"audio": 2}, {"audio": False})
    with pytest.raises(InputError, match=r"options.width: found 7, expected an even number"):
        misa.build({"width": 7}, backbone, shape)
