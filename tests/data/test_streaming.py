"""Features that are brought to the device batch by batch are those that lie there."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from amb.data.batches import load_splits
from amb.data.ragged_tensor import RaggedTensor
from amb.data.store import Store
from amb.data.streaming import AHEAD, Stream

CPU = torch.device("cpu")
PLAN = [torch.tensor(rows) for rows in ([3, 0], [2, 2, 1], [1], [0, 3, 2], [3])]


class Watched(RaggedTensor):
    """Remembers which batches were collected, and in which thread."""

    def pad(self, rows, fill=0):
        seen.append((rows.tolist(), threading.current_thread().name))
        return super().pad(rows, fill)


seen: list[tuple[list[int], str]] = []


@pytest.fixture
def raw():
    seen.clear()
    lengths = torch.tensor([2, 0, 5, 1])
    values = torch.arange(24.0).view(8, 3)
    return Watched(values, lengths.cumsum(0) - lengths, lengths)


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1, "collect") as pool:
        yield pool


def assert_equal(collected, raw, rows):
    values, mask = RaggedTensor.pad(raw, rows)
    assert torch.equal(collected[0], values)
    assert torch.equal(collected[1], mask)


def test_batches_that_were_announced_are_collected_in_a_thread(raw, thread):
    stream = Stream(raw, CPU).planned(PLAN, thread)
    collected = []
    for number, rows in enumerate(PLAN, start=1):
        collected.append(stream.pad(rows))
        thread.submit(int).result()  # what was handed to the thread before is done
        assert len(seen) == min(number + AHEAD, len(PLAN))
    assert [rows for rows, _ in seen] == [rows.tolist() for rows in PLAN]
    assert all(name.startswith("collect") for _, name in seen)
    for own, rows in zip(collected, PLAN, strict=True):
        assert_equal(own, raw, rows)


def test_batches_in_another_order_are_collected_when_they_are_asked_for(raw, thread):
    stream = Stream(raw, CPU).planned(PLAN, thread)
    assert_equal(stream.pad(PLAN[0]), raw, PLAN[0])
    half = PLAN[1][:2]
    assert_equal(stream.pad(half), raw, half)
    for rows in PLAN[2:]:
        assert_equal(stream.pad(rows), raw, rows)
    assert_equal(Stream(raw, CPU).pad(PLAN[3]), raw, PLAN[3])


def test_an_error_in_the_thread_is_raised_where_the_batch_is_needed(raw, thread):
    stream = Stream(raw, CPU).planned([torch.tensor([7])], thread)
    with pytest.raises(IndexError, match="out of bounds"):
        stream.pad(torch.tensor([7]))


@pytest.mark.parametrize("normalisation", ["none", "zscore", "per_video"])
def test_a_streamed_split_has_the_batches_of_one_that_is_held(tiny, normalisation):
    store = Store.open(tiny.store)
    split = load_splits(store, tiny.backbone, 64, normalisation)["train"]
    held, streamed = split.to(CPU), split.to(CPU, features=False)
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))
    assert {own.nbytes for own in split.frames.values()} == {
        int(own.raw.own_values().nbytes) for own in split.frames.values()
    }
    with held.ahead(order.split(7)) as same:
        assert same is held  # nothing to bring, no thread
    for (rows, one), (_, other) in zip(
        held.batches(order, 7), streamed.batches(order, 7), strict=True
    ):
        assert torch.equal(one.token_ids, other.token_ids)
        for modality in split.frames:
            assert torch.equal(one.frames[modality].values, other.frames[modality].values)
            assert torch.equal(one.frames[modality].mask, other.frames[modality].mask)
        again = streamed.batch(rows).frames["audio"].values  # not announced
        assert torch.equal(again, one.frames["audio"].values)
