"""The order of utterances: drawn from the seed, and with a length window no further from random."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from amb.study import TrainingSettings
from amb.training.epoch_order import epoch_order

UTTERANCES, BATCH = 1283, 32  # CMU-MOSI's training split has 1,284; here the last batch has 3
LENGTHS = torch.from_numpy(np.random.default_rng(5).geometric(1 / 15, UTTERANCES))
RANDOM = TrainingSettings(max_epochs=1, batch_size=BATCH)
WINDOWS = (1, 2, 5, 1000)


def within(window):
    return dataclasses.replace(RANDOM, length_window=window)


def batches_of(order):
    """Return the batch of each utterance: (U,)."""
    place = torch.empty(len(order), dtype=torch.long)
    place[order] = torch.arange(len(order)) // BATCH
    return place


def padded(order):
    """Return the places of an epoch's batches, padding included."""
    return sum(len(rows) * int(LENGTHS[rows].max()) for rows in order.split(BATCH))


@pytest.mark.parametrize("window", WINDOWS)
def test_every_utterance_comes_once_an_epoch(window):
    order = epoch_order(LENGTHS, within(window), seed=7, epoch=3)
    assert torch.equal(order.sort().values, torch.arange(UTTERANCES))


@pytest.mark.parametrize("window", WINDOWS)
def test_the_order_is_a_function_of_seed_and_epoch(window):
    first = epoch_order(LENGTHS, within(window), seed=7, epoch=3)
    torch.manual_seed(99)
    assert torch.equal(first, epoch_order(LENGTHS, within(window), seed=7, epoch=3))
    for seed, epoch in ((8, 3), (7, 4)):
        assert not torch.equal(first, epoch_order(LENGTHS, within(window), seed, epoch))


@pytest.mark.parametrize("window", WINDOWS)
def test_no_utterance_leaves_its_window(window):
    random = batches_of(epoch_order(LENGTHS, RANDOM, seed=7, epoch=3))
    grouped = batches_of(epoch_order(LENGTHS, within(window), seed=7, epoch=3))
    assert torch.equal(random // window, grouped // window)
    assert (random - grouped).abs().max() <= window - 1


def test_padding_falls_as_the_window_grows():
    # Measured against padding to a batch's longest in random order, and no padding at all.
    random, real = padded(epoch_order(LENGTHS, RANDOM, 7, 3)), int(LENGTHS.sum())
    saved = [
        (random - padded(epoch_order(LENGTHS, within(window), 7, 3))) / (random - real)
        for window in (2, 5, 1000)
    ]
    assert saved == sorted(saved)
    assert saved[0] > 0.2
    assert saved[1] > 0.6
    assert saved[2] > 0.9


def test_a_window_s_batches_do_not_overlap_in_length_and_come_in_random_order():
    order = epoch_order(LENGTHS, within(5), seed=7, epoch=3)
    first_is_shortest = 0
    windows = order.split(5 * BATCH)
    for window in windows:
        spans = [(int(LENGTHS[b].min()), int(LENGTHS[b].max())) for b in window.split(BATCH)]
        first_is_shortest += spans[0] == min(spans)
        for (_, longest), (shortest, _) in zip(sorted(spans), sorted(spans)[1:], strict=False):
            assert longest <= shortest
    assert 0 < first_is_shortest < len(windows)


def test_the_smaller_last_batch_is_as_often_of_long_texts_as_of_short_ones():
    lengths = LENGTHS[: 7 * BATCH + 3]  # a window of five batches, and one of two and three texts
    seen = [0, 0, 0]
    for seed in range(600):
        order = epoch_order(lengths, within(5), seed, 1)
        window = order[5 * BATCH :].split(BATCH)
        assert [len(rows) for rows in window] == [BATCH, BATCH, 3]
        means = [float(lengths[rows].double().mean()) for rows in window]
        seen[sorted(means).index(means[-1])] += 1
    assert min(seen) > 150  # of 200 expected; standard deviation 12


def test_mates_change_from_epoch_to_epoch():
    def mates(epoch):
        place = batches_of(epoch_order(LENGTHS, within(5), 7, epoch))
        return {(a, b) for a in range(60) for b in range(a) if place[a] == place[b]}

    first, second = mates(1), mates(2)
    assert len(first & second) < 0.5 * len(first)


def test_a_recipe_without_a_window_keeps_its_identity():
    assert "length_window" not in RANDOM.described()
    assert within(5).described()["length_window"] == 5
