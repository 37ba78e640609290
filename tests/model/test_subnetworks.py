"""The modality sub-networks of TFN and LMF."""

import pytest
import torch

from amb.data.frames import Frames
from amb.model.subnetworks import BatchNorm, FrameSubNetwork, SubNetworks, mean_over_time, with_one

MASK = torch.tensor([[True, True, True], [True, False, False]])


def test_the_mean_is_over_real_frames():
    values = torch.tensor([[[1.0], [2.0], [6.0]], [[5.0], [1e3], [float("nan")]]])
    assert mean_over_time(Frames(values, MASK)).tolist() == [[3.0], [5.0]]


def test_a_lone_training_utterance_is_normed_by_the_running_statistics():
    norm = BatchNorm(2)
    norm(torch.tensor([[1.0, 4.0], [3.0, 8.0]]))  # moves the running mean to 0.1 · (2, 6)
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    lone = torch.tensor([[1.2, -0.4]])
    expected = (lone - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    torch.testing.assert_close(norm.train()(lone), expected)
    assert all(torch.equal(before[name], value) for name, value in norm.state_dict().items())


def test_a_batch_is_normed_as_torch_does():
    values = torch.randn(5, 3)
    ours, reference = BatchNorm(3), torch.nn.BatchNorm1d(3)
    torch.testing.assert_close(ours(values), reference(values))
    torch.testing.assert_close(ours.eval()(values), reference.eval()(values))


def test_the_frame_subnetwork_equals_its_equation():
    net = FrameSubNetwork(4, 3, dropout=0.0).eval()
    frames = Frames(torch.randn(2, 3, 4), MASK)
    hidden = torch.stack([frames.values[0].mean(0), frames.values[1, 0]]) / (1 + 1e-5) ** 0.5
    for layer in net.layers:
        hidden = (hidden @ layer.weight.T + layer.bias).clamp(min=0)
    torch.testing.assert_close(net(frames), hidden)


@pytest.mark.parametrize("modalities", [["audio"], ["visual"], ["audio", "visual"]])
def test_there_is_a_vector_for_each_modality_that_the_data_have(modalities):
    widths, dropouts = {"audio": 2, "visual": 3}, {"audio": 0.0, "visual": 0.0}
    net = SubNetworks(dict.fromkeys(modalities, 4), widths, dropouts, (6, 5, 7))
    frames = {m: Frames(torch.randn(2, 3, 4), MASK) for m in modalities}
    vectors = net(frames, torch.randn(2, 3, 6), MASK)
    assert list(vectors) == [*modalities, "text"]
    assert {m: v.shape for m, v in vectors.items()} == {m: (2, w) for m, w in net.widths.items()}


def test_the_one_stands_first():
    assert with_one(torch.tensor([[2.0, 3.0]])).tolist() == [[1.0, 2.0, 3.0]]
