"""CMD and the difference loss against their definitions, entry by entry."""

import pytest
import torch

from amb.model.representation_losses import central_moment_discrepancy, difference_loss

B, D = 6, 3


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(2)
    return [torch.rand(B, D, generator=generator, dtype=torch.float64) for _ in range(2)]


def test_cmd_equals_its_definition(pair):
    expected = 0.0
    for order in range(1, 6):
        squares = 0.0
        for k in range(D):
            moments = []
            for column in (pair[0][:, k].tolist(), pair[1][:, k].tolist()):
                mean = sum(column) / B
                moments.append(mean if order == 1 else sum((x - mean) ** order for x in column) / B)
            squares += (moments[0] - moments[1]) ** 2
        expected += squares**0.5
    assert central_moment_discrepancy(*pair).item() == pytest.approx(expected, abs=1e-12)


def test_cmd_of_one_distribution_is_zero_whatever_the_order(pair):
    one = pair[0]
    assert central_moment_discrepancy(one, one.flip(0)).item() == pytest.approx(0, abs=1e-12)


def test_cmd_of_one_utterance_is_the_distance_and_has_a_finite_gradient():
    one = torch.tensor([[0.2, 0.6]], requires_grad=True)
    loss = central_moment_discrepancy(one, torch.tensor([[0.5, 0.2]]))
    loss.backward()
    assert loss.item() == pytest.approx(0.5)
    torch.testing.assert_close(one.grad, torch.tensor([[-0.6, 0.8]]))


def test_difference_equals_its_definition(pair):
    units = []
    for values in pair:
        centred = values - values.mean(0)
        units.append([row / (row.norm() + 1e-6) for row in centred])
    squares = [
        sum(units[0][b][i] * units[1][b][j] for b in range(B)) ** 2
        for i in range(D)
        for j in range(D)
    ]
    expected = sum(squares) / D**2
    assert difference_loss(*pair).item() == pytest.approx(expected.item(), abs=1e-12)


def test_difference_is_zero_for_orthogonal_and_for_lone_utterances(pair):
    one = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    other = torch.tensor([[0.0, 1.0], [0.0, 1.0], [0.0, -1.0], [0.0, -1.0]])
    assert difference_loss(one, other).item() == pytest.approx(0, abs=1e-12)
    assert difference_loss(one, one).item() > 0.1
    lone = torch.rand(1, D, requires_grad=True)
    loss = difference_loss(lone, torch.rand(1, D))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(lone.grad).all()
