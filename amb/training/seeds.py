"""One seed, many independent streams: initialisation, data order, dropout.

Each draw is seeded by a hash of its purpose, the run's seed and its place in training (epoch,
step). So adding a method or a purpose changes nobody else's numbers, and a run that starts again in
the middle needs no generator's state to go on as it would have gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive_seed(purpose: str, seed: int, *place: int) -> int:
    """Derive the seed of one draw of a run.

    Args:
        purpose: What it is for: ``initialisation``, ``order``, ``dropout``.
        seed: The run's seed.
        *place: Where in training it is drawn, if more than once: epoch, step.

    Returns:
        A number in [0, 2⁶³).
    """
    name = "/".join(["amb", purpose, str(seed), *map(str, place)])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


@contextmanager
def seeded(purpose: str, seed: int) -> Iterator[None]:
    """Run a block under torch's global generators seeded for ``purpose``, then restore them.

    Modules draw their initial weights from the global generators and accept no other.
    """
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(purpose, seed))
        yield
