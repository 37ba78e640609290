"""The order in which a run is shown its utterances, drawn from its seed anew for each epoch.

An epoch is a random permutation, cut into batches. With a length window of W > 1, every W batches
in a row are formed again from their own utterances, so that texts of like length come together and
a batch has less padding. An utterance then is at most W - 1 batches from its random place, every
utterance is shown once an epoch, and an epoch has as many steps, of the same sizes.

Notation: U utterances, B utterances of a batch, W batches of a window.
"""

from __future__ import annotations

import torch
from torch import Tensor

from amb.study import TrainingSettings
from amb.training.seeds import derive_seed


def epoch_order(lengths: Tensor, recipe: TrainingSettings, seed: int, epoch: int) -> Tensor:
    """Return the order in which a run is shown its utterances in one epoch.

    Args:
        lengths: Of the texts in word-pieces, (U,).
        recipe: Its ``batch_size`` is B, its ``length_window`` W; 1 leaves batches random.
        seed: Of the run.
        epoch: From 1.

    Returns:
        (U,) int64 on the CPU, a permutation; its batches are its parts of B in turn.
    """
    generator = torch.Generator().manual_seed(derive_seed("order", seed, epoch))
    order = torch.randperm(len(lengths), generator=generator)
    if recipe.length_window == 1:
        return order
    lengths = lengths.cpu()
    windows = order.split(recipe.batch_size * recipe.length_window)
    formed = [_like_together(own, lengths, recipe.batch_size, generator) for own in windows]
    return torch.cat(formed)


def _like_together(
    rows: Tensor, lengths: Tensor, batch_size: int, generator: torch.Generator
) -> Tensor:
    """Form a window's batches from texts of like length, in a random order.

    The epoch's last batch may be a smaller one. It stays the last, and is as likely to be of long
    texts as of short ones.

    Args:
        rows: Utterances of the window in random order, which stays that of texts of one length.
        lengths: Of all texts, (U,).
        batch_size: B.
        generator: Draws the order of batches.

    Returns:
        The same utterances.
    """
    batches = -(-len(rows) // batch_size)
    turns = torch.randperm(batches, generator=generator).tolist()
    sizes = [batch_size] * batches
    sizes[turns[-1]] = len(rows) - batch_size * (batches - 1)
    by_length = rows[torch.argsort(lengths[rows], stable=True)].split(sizes)
    return torch.cat([by_length[turn] for turn in turns])
