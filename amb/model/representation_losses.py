"""Two losses on a pair of representations: be distributed alike, or share no direction.

Notation: B batch, D width of a representation.
"""

from __future__ import annotations

import torch
from torch import Tensor

NUM_MOMENTS = 5


def central_moment_discrepancy(one: Tensor, other: Tensor) -> Tensor:
    """Measure how far the distributions of two representations are apart, over a batch.

    The distance of the means plus the distances of the central moments 2 to 5. A batch of one
    utterance has central moments of 0; the norm's gradient at 0 is 0 here, where a plain square
    root, as in the public codes, gives NaN and with it destroys the model.

    Source: Zellinger et al. 2017 (arXiv 1702.08811), for values in [0, 1].

    Args:
        one: (B, D), each value in [0, 1].
        other: (B, D), likewise.

    Returns:
        A scalar, at least 0.
    """
    mean_one, mean_other = one.mean(0), other.mean(0)  # (D,)
    discrepancy: Tensor = torch.linalg.vector_norm(mean_one - mean_other)
    for order in range(2, NUM_MOMENTS + 1):
        moment_one = (one - mean_one).pow(order).mean(0)
        moment_other = (other - mean_other).pow(order).mean(0)
        discrepancy = discrepancy + torch.linalg.vector_norm(moment_one - moment_other)
    return discrepancy


def difference_loss(one: Tensor, other: Tensor) -> Tensor:
    """Measure how much two representations of the same utterances have in common.

    The squared entries of their correlation-like matrix, after each feature is centred over the
    batch and each utterance scaled to length 1; no gradient flows through the lengths.

    Source: Bousmalis et al. 2016 (arXiv 1608.06019), as MISA's public code has it.
    Departure: the mean of the entries, as in the public code; the papers have their sum.

    Args:
        one: (B, D).
        other: (B, D).

    Returns:
        A scalar, 0 where the two are orthogonal.
    """
    product = _centred_units(one).T @ _centred_units(other)  # (D, D)
    loss: Tensor = product.square().mean()
    return loss


def _centred_units(values: Tensor) -> Tensor:
    """Centre features over the batch, then scale utterances to length 1: (B, D) → (B, D)."""
    centred = values - values.mean(0)
    lengths: Tensor = torch.linalg.vector_norm(centred, dim=1, keepdim=True).detach()
    return centred / (lengths + 1e-6)
