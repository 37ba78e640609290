"""How much memory training takes, how many seeds fit, and how torch says that none is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from amb.data.batches import SplitData
from amb.model.method import SentimentModel
from amb.training.pack import Pack

FLOAT_BYTES = 4
COPIES = 5  # of a trainable number: itself, its gradient, two moments, the best epoch's
HEADROOM = 0.8  # of what is free; the rest is for kernels' work space and fragmentation
FEATURE_SHARE = 0.5  # of what is free may be features; the rest is for training


@dataclass(frozen=True)
class MemoryEstimate:
    """What training takes in bytes, on any device.

    Attributes:
        shared: Frozen weights and buffers, one copy for all seeds.
        trained: Trainable weights of one seed with gradients, moments and best state.
        activations: What one seed's largest batch keeps for the backward pass.
    """

    shared: int
    trained: int
    activations: int

    def seeds_that_fit(self, free_bytes: int) -> int:
        """Return how many seeds fit into ``free_bytes`` as one model, at least one."""
        per_seed = self.trained + self.activations
        return max(1, int((HEADROOM * free_bytes - self.shared) // per_seed))


def estimate_memory(model: SentimentModel, data: SplitData, batch_size: int) -> MemoryEstimate:
    """Estimate what training a method takes, by one forward pass over its longest texts.

    Args:
        model: Freshly built, trained by gradient.
        data: The training split.
        batch_size: Utterances of a batch.

    Returns:
        The estimate.
    """
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    frozen = [p for p in model.parameters() if not p.requires_grad] + list(model.buffers())
    kept: dict[int, int] = {}
    own = {p.untyped_storage().data_ptr() for p in (*model.parameters(), *model.buffers())}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    pack = Pack([model], [0])
    model.train()
    with torch.random.fork_rng():
        pack.begin_step(0, 0)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            losses = pack.losses(data.batch(data.by_length()[-batch_size:]))
    del losses
    return MemoryEstimate(
        shared=sum(t.numel() * t.element_size() for t in frozen),
        trained=COPIES * FLOAT_BYTES * trainable,
        activations=sum(kept.values()),
    )


def features_fit(splits: Iterable[SplitData], device: torch.device) -> bool:
    """Whether the features of all splits are to be held on a device.

    Args:
        splits: The splits, on the host.
        device: Where training is to be.

    Returns:
        False where they would take too much of its memory. A CPU reads them from the store's
        mapped file and holds nothing.
    """
    free = free_bytes(device)
    size = sum(own.nbytes for split in splits for own in split.frames.values())
    return free is None or size <= FEATURE_SHARE * free


def free_bytes(device: torch.device) -> int | None:
    """Return the free memory of a GPU; None for a CPU."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    return int(free)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of torch says that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    text = str(error)
    return "DefaultCPUAllocator" in text or "out of memory" in text.lower()
