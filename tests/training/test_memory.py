"""Memory estimates against what torch allocates, and the words of an exhausted allocator."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from amb.training.job import Job
from amb.training.memory import COPIES, MemoryEstimate, estimate_memory, is_out_of_memory
from amb.training.run import build_model, open_context


def test_as_many_seeds_fit_as_the_free_memory_holds():
    estimate = MemoryEstimate(shared=100, trained=40, activations=60)
    assert estimate.seeds_that_fit(0) == 1
    assert estimate.seeds_that_fit(1250) == 9
    assert estimate.seeds_that_fit(1000) == 7


@pytest.mark.parametrize("method", ["amb", "finetuned_fusion"])
def test_the_estimate_counts_what_a_pass_keeps(tiny, tmp_path, method):
    job = Job(tiny.file, tiny.store, tiny.backbone, method, tmp_path, "cpu")
    data, model = open_context(job).splits["train"], build_model(job, 1)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    small, large = (estimate_memory(model, data, size) for size in (6, 12))
    assert small.trained == large.trained == COPIES * 4 * trainable
    assert small.shared == 4 * (total - trainable)
    assert 1.6 < large.activations / small.activations < 2.4


def test_an_exhausted_allocator_is_known_by_its_words():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    with pytest.raises(RuntimeError) as error:
        torch.empty(1 << 60)
    assert is_out_of_memory(error.value)
    with pytest.raises(RuntimeError) as error:
        nn.Linear(2, 3)(torch.zeros(4))
    assert not is_out_of_memory(error.value)
