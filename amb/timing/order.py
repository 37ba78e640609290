"""The order of timing blocks: pairs of one block of each row, mirrored from pair to pair.

``a b | b a | a b | b a``: a drift of the machine (warming up, another job that comes or goes) that
is linear over two pairs cancels, and neither row always comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["a", "b"]


@dataclass(frozen=True)
class Block:
    """One block to time: its place in the order, its pair and whose it is."""

    place: int
    pair: int
    side: Side


def mirrored_order(pairs: int) -> list[Block]:
    """Return the blocks of so many pairs, in the order in which they are timed.

    Args:
        pairs: Number of pairs, at least 1.

    Returns:
        2 · ``pairs`` blocks: ABBA, repeated.
    """
    mirrored: tuple[tuple[Side, Side], ...] = (("a", "b"), ("b", "a"))
    sides = [side for pair in range(pairs) for side in mirrored[pair % 2]]
    return [Block(place, place // 2, side) for place, side in enumerate(sides)]
