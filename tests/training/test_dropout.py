"""Masks look like independent draws, and depend on seed, step and place alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from amb.training.dropout import DropoutStreams, SeededDropout, seed_dropout

CPU = torch.device("cpu")


def masks(keys, shape, p=0.3, calls=1):
    streams = DropoutStreams()
    streams.begin_step(keys, CPU)
    return [streams.keep(torch.Size(shape), p) for _ in range(calls)]


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(400_000,), (500, 800), (8, 12, 60, 70)])
def test_an_element_is_dropped_with_probability_p(shape, p):
    (keep,) = masks([7], shape, p)
    spread = math.sqrt(p * (1 - p) / keep.numel())
    assert abs(float(keep.float().mean()) - (1 - p)) < 4 * spread


def test_rows_columns_steps_seeds_and_calls_are_uncorrelated():
    p, shape = 0.3, (300, 400)
    first, second = masks([1], shape, p, calls=2)
    others = [second, *masks([2], shape, p), *masks([1 << 31], shape, p)]
    centred = first.float() - first.float().mean()
    bound = 4.5 / math.sqrt(first.numel())
    for other in others:
        product = centred * (other.float() - other.float().mean())
        assert abs(float(product.mean())) / (p * (1 - p)) < bound
    rows = (centred @ centred.T) / (shape[1] * p * (1 - p))
    columns = (centred.T @ centred) / (shape[0] * p * (1 - p))
    for matrix, length in ((rows, shape[1]), (columns, shape[0])):
        off_diagonal = matrix[~torch.eye(len(matrix), dtype=torch.bool)]
        assert float(off_diagonal.abs().max()) < 5.5 / math.sqrt(length)
        # The spread of the correlations is that of independent draws.
        assert float(off_diagonal.std()) == pytest.approx(1 / math.sqrt(length), rel=0.05)


def test_sums_over_rows_and_columns_spread_as_independent_draws_do():
    p = 0.2
    (keep,) = masks([3], (600, 500), p)
    for dimension, length in ((0, 600), (1, 500)):
        sums = keep.float().sum(dimension)
        assert float(sums.var()) == pytest.approx(length * p * (1 - p), rel=0.25)


def test_padding_and_company_change_no_draw():
    (short,) = masks([5], (4, 3, 10, 10))
    (long,) = masks([5], (6, 3, 17, 12))
    assert torch.equal(long[:4, :, :10, :10], short)
    (packed,) = masks([9, 5], (8, 3, 10, 10))
    assert torch.equal(packed[4:], short)
    assert not torch.equal(packed[:4], short)


def test_modules_in_turn_draw_what_they_draw_together():
    streams = DropoutStreams()
    streams.begin_step([5, 6], CPU)
    together = [streams.keep(torch.Size((8, 3)), 0.5) for _ in range(3)]
    streams.begin_step([5, 6], CPU)
    before = streams.keep(torch.Size((8, 3)), 0.5)
    parts = []
    with streams.in_turn() as turns:
        for _ in turns:
            parts.append(streams.keep(torch.Size((4, 3)), 0.5))
    after = streams.keep(torch.Size((8, 3)), 0.5)
    assert torch.equal(before, together[0])
    assert torch.equal(torch.cat(parts), together[1])
    assert torch.equal(after, together[2])


def test_the_module_drops_scales_and_hands_its_gradient_through():
    streams = DropoutStreams()
    streams.begin_step([1], CPU)
    values = torch.full((50, 40), 2.0, requires_grad=True)
    dropped = SeededDropout(0.25, streams)(values)
    assert dropped.unique().tolist() == [0.0, pytest.approx(2 / 0.75)]
    dropped.sum().backward()
    assert torch.equal(values.grad, torch.where(dropped > 0, 1 / 0.75, 0.0))


def test_all_or_nothing_and_evaluation_need_no_draw():
    values = torch.ones(3)
    assert torch.equal(SeededDropout(0.0, DropoutStreams())(values), values)
    assert torch.equal(SeededDropout(1.0, DropoutStreams())(values), torch.zeros(3))
    assert torch.equal(SeededDropout(0.5, DropoutStreams()).eval()(values), values)


def test_dropout_outside_a_step_is_refused():
    with pytest.raises(AssertionError, match="outside a training step"):
        SeededDropout(0.5, DropoutStreams())(torch.ones(3))


def test_every_dropout_of_a_model_is_replaced_and_keeps_its_probability():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.2), nn.ModuleDict({"a": nn.Dropout(0.4)}))
    first, second = DropoutStreams(), DropoutStreams()
    seed_dropout(model, first)
    seed_dropout(model, second)
    found = [m for m in model.modules() if isinstance(m, nn.Dropout)]
    assert [(type(m), m.p) for m in found] == [(SeededDropout, 0.2), (SeededDropout, 0.4)]
    assert all(m.streams is second for m in found)
