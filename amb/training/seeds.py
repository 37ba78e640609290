"""One seed, many independent streams: initialisation, data order, dropout.

Each stream's seed is a hash of its purpose and the run's seed, so that adding a method or a
purpose changes nobody else's numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive_seed(purpose: str, seed: int) -> int:
    """Derive the seed of one stream of a run.

    Args:
        purpose: What the stream is for: ``initialisation``, ``order``, ``dropout``.
        seed: The run's seed.

    Returns:
        A number in [0, 2⁶³).
    """
    digest = hashlib.sha256(f"amb/{purpose}/{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@contextmanager
def seeded(purpose: str, seed: int) -> Iterator[None]:
    """Run a block under torch's global generators seeded for ``purpose``, then restore them.

    Modules draw their initial weights and dropout from the global generators and accept no other.
    """
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(purpose, seed))
        yield
