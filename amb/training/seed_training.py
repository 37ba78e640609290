"""The training of one seed: what it has learnt, how it went, and when it ends.

Notation: E epochs so far.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from amb.model.method import SentimentModel
from amb.study import TrainingSettings
from amb.training.job import Epoch
from amb.training.optimiser import build_optimiser, build_plateau

NON_FINITE = "non-finite loss"


@dataclass(frozen=True)
class TrainingResult:
    """What training leaves behind.

    Attributes:
        state: What training changed, by name, as it was after the best epoch.
        curve: One entry an epoch.
        best_epoch: The epoch with the lowest validation MAE, from 1; 0 where no epoch ended with a
            finite loss, and ``state`` is the initial one.
        best_valid_mae: Its validation MAE; infinite for epoch 0.
        stopped: Why training ended: ``max_epochs``, ``patience``, ``non-finite loss`` or
            ``closed form``.
        micro_batches: Parts that a batch was shown in, for want of memory; else 1.
    """

    state: dict[str, Tensor]
    curve: list[Epoch]
    best_epoch: int
    best_valid_mae: float
    stopped: str
    micro_batches: int = 1


class SeedTraining:
    """One seed's model, optimiser, schedule, curve and best state.

    Args:
        model: Freshly built, with the seed's initial weights.
        seed: Its seed.
        settings: The recipe.

    Attributes:
        stopped: Why its training has ended, None while it goes on.
        loss_sum: Sum of the losses of this epoch's utterances so far, a scalar on the device.
    """

    def __init__(self, model: SentimentModel, seed: int, settings: TrainingSettings) -> None:
        self.model, self.seed, self.settings = model, seed, settings
        self.optimiser = build_optimiser(model, settings)
        self.plateau = build_plateau(self.optimiser, settings)
        self.parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        self.curve: list[Epoch] = []
        self.best_epoch, self.best_mae = 0, math.inf
        self.best_state = _copied(model.learned_state())
        self.stopped: str | None = None
        self.loss_sum = torch.zeros((), device=next(model.parameters()).device)

    def step(self) -> None:
        """Take one step along the gradients that the parameters hold, and forget them."""
        if self.settings.gradient_clip_value > 0:
            torch.nn.utils.clip_grad_value_(self.parameters, self.settings.gradient_clip_value)
        if self.settings.gradient_clip > 0:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.settings.gradient_clip)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)

    def end_epoch(self, epoch: int, train_loss: float, valid_mae: float, seconds: float) -> Epoch:
        """Note how an epoch went, keep the best, and decide whether to go on.

        Args:
            epoch: From 1.
            train_loss: Mean loss of its utterances.
            valid_mae: After it.
            seconds: It took.

        Returns:
            The epoch's line of the curve.
        """
        rate = self.optimiser.param_groups[-1]["lr"]
        self.curve.append(Epoch(epoch, train_loss, valid_mae, rate, seconds))
        self.loss_sum.zero_()
        if not math.isfinite(train_loss + valid_mae):
            self.stopped = NON_FINITE
            return self.curve[-1]
        if valid_mae < self.best_mae:
            self.best_mae, self.best_epoch = valid_mae, epoch
            self.best_state = _copied(self.model.learned_state())
        if epoch - self.best_epoch >= self.settings.patience:
            self.stopped = "patience"
        elif epoch == self.settings.max_epochs:
            self.stopped = "max_epochs"
        elif self.plateau is not None:
            self.plateau.step(valid_mae)
        return self.curve[-1]

    def result(self, micro_batches: int = 1) -> TrainingResult:
        """Return what the training leaves behind, once it has stopped."""
        assert self.stopped is not None, "training goes on"
        return TrainingResult(
            self.best_state,
            self.curve,
            self.best_epoch,
            self.best_mae,
            self.stopped,
            micro_batches,
        )


def _copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in state.items()}
