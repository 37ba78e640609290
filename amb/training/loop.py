"""The one training loop: K seeds of a method, each early-stopped on its own validation MAE.

It knows batches, labels of train and valid, and a model that returns one number an utterance. The
seeds go through their epochs in step, each in its own order; a seed that has stopped leaves, and
the others go on without it. K = 1 is the plain loop, and the same code. A method that is fitted in
closed form is fitted, validated and done.
Labels of the test split do not exist here.

Notation: K seeds that still train, B utterances of one seed's batch, U utterances of a split.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from amb.data.batches import SplitData
from amb.model.method import SentimentModel
from amb.study import TrainingSettings
from amb.training.epoch_order import epoch_order
from amb.training.job import Epoch
from amb.training.memory import is_out_of_memory
from amb.training.pack import Pack
from amb.training.predict import BATCH, mean_absolute_error
from amb.training.seed_training import SeedTraining, TrainingResult

OnEpoch = Callable[[int, Epoch], None]
Notice = Callable[[str], None]


@dataclass
class Position:
    """Where training stands.

    Attributes:
        epoch: From 1.
        step: Steps of this epoch that are done.
        micro_batches: Parts that a batch is shown in.
        seconds: That this epoch has taken so far.
    """

    epoch: int = 1
    step: int = 0
    micro_batches: int = 1
    seconds: float = 0.0


class Keeper(Protocol):
    """Keeps what training needs to go on after an interruption."""

    def restore(self, trainings: Sequence[SeedTraining]) -> Position:
        """Put trainings back where they were kept; return where that is, or the beginning."""

    def after_step(self, trainings: Sequence[SeedTraining], position: Position) -> None:
        """Keep the trainings, if it is time to."""


def train(
    model: SentimentModel,
    train_data: SplitData,
    valid_data: SplitData,
    settings: TrainingSettings,
    seed: int,
    on_epoch: Callable[[Epoch], None],
) -> TrainingResult:
    """Train one seed until validation MAE has stopped improving.

    Args:
        model: Freshly built; trained in place.
        train_data: Labelled utterances.
        valid_data: Labelled utterances that choose the epoch.
        settings: The recipe.
        seed: Of the order of utterances and of dropout.
        on_epoch: Called after every epoch.

    Returns:
        The best epoch's state and the curve.
    """
    return train_seeds(
        [model], [seed], train_data, valid_data, settings, lambda _, epoch: on_epoch(epoch)
    )[0]


def train_seeds(
    models: Sequence[SentimentModel],
    seeds: Sequence[int],
    train_data: SplitData,
    valid_data: SplitData,
    settings: TrainingSettings,
    on_epoch: OnEpoch,
    keeper: Keeper | None = None,
    notice: Notice | None = None,
) -> list[TrainingResult]:
    """Train some seeds of one method together, until validation MAE has stopped improving for each.

    Args:
        models: One a seed, freshly built; trained in place.
        seeds: Of the order of utterances and of dropout.
        train_data: Labelled utterances.
        valid_data: Labelled utterances that choose the epoch.
        settings: The recipe.
        on_epoch: Called after every epoch of every seed.
        keeper: Keeps the training's state; None: nothing is kept.
        notice: Told of what a person should know; None: stderr.

    Returns:
        The best epoch's state and the curve of each seed.

    Raises:
        UnpackableError: These seeds can not train as one model; nothing has happened yet.
    """
    say = notice or (lambda line: print(line, file=sys.stderr, flush=True))
    for model in models:
        model.begin_training(train_data)
    if not models[0].trains_by_gradient:
        return [
            _closed_form(model, valid_data, seed, on_epoch)
            for model, seed in zip(models, seeds, strict=True)
        ]
    trainings = [SeedTraining(m, s, settings) for m, s in zip(models, seeds, strict=True)]
    loop = _Loop(train_data, valid_data, settings, on_epoch, keeper, say)
    with torch.random.fork_rng():
        loop.run(trainings)
    return [training.result(loop.position.micro_batches) for training in trainings]


def parts(rows: Tensor, position: Position) -> tuple[Tensor, ...]:
    """Cut the utterances of a step (K, B) into the parts in which they are shown."""
    return rows.tensor_split(position.micro_batches, dim=1)


def backward(pack: Pack, data: SplitData, rows: Tensor, position: Position) -> Tensor:
    """Add up the gradients of one step, in parts of the batch if need be.

    Args:
        pack: The seeds, whose parameters hold no gradient.
        data: Labelled utterances.
        rows: (K, B) those of the step.
        position: Of the step.

    Returns:
        (K,) each seed's mean loss; its gradient lies in the pack until it is handed back.
    """
    total = torch.zeros(len(pack), device=rows.device)
    for part, own in enumerate(parts(rows, position)):
        pack.begin_step(position.epoch, position.step, part)
        losses = pack.losses(data.batch(own.flatten(), len(pack)))
        share = own.shape[1] / rows.shape[1]
        (losses.sum() * share).backward()
        total += losses.detach() * share
    return total


class _Loop:
    """Epochs and steps of one pack of seeds."""

    def __init__(
        self,
        train_data: SplitData,
        valid_data: SplitData,
        settings: TrainingSettings,
        on_epoch: OnEpoch,
        keeper: Keeper | None,
        say: Notice,
    ) -> None:
        self.train_data, self.valid_data = train_data, valid_data
        self.settings, self.on_epoch, self.keeper, self.say = settings, on_epoch, keeper, say
        self.position = Position()
        self.device = train_data.token_ids.values.device

    def run(self, trainings: Sequence[SeedTraining]) -> None:
        """Train until every seed has stopped."""
        pack = self._packed(trainings)  # before anything is restored or changed
        self.position = self.keeper.restore(trainings) if self.keeper else Position()
        while active := [training for training in trainings if training.stopped is None]:
            if pack.seeds != [training.seed for training in active]:
                pack = self._packed(active)
            self._epoch(pack, active, trainings)

    def _packed(self, active: Sequence[SeedTraining]) -> Pack:
        pack = Pack([training.model for training in active], [t.seed for t in active])
        pack.prove(self.train_data, self._order(active, 1)[:, : self.settings.batch_size])
        return pack

    def _order(self, active: Sequence[SeedTraining], epoch: int) -> Tensor:
        """Return the order of utterances of each seed: (K, U)."""
        lengths = self.train_data.token_ids.lengths
        orders = [epoch_order(lengths, self.settings, t.seed, epoch) for t in active]
        return torch.stack(orders).to(self.device)

    def _epoch(
        self, pack: Pack, active: Sequence[SeedTraining], trainings: Sequence[SeedTraining]
    ) -> None:
        """Show every seed every utterance once, and validate."""
        place = self.position
        start = time.perf_counter() - place.seconds
        order = self._order(active, place.epoch)
        for training in active:
            training.model.begin_epoch(place.epoch)
        pack.model.train()
        steps = order.split(self.settings.batch_size, dim=1)[place.step :]
        plan = [own.flatten() for rows in steps for own in parts(rows, place)]
        with self.train_data.ahead(plan) as data:
            for rows in steps:
                self._step(pack, active, data, rows)
                place.step, place.seconds = place.step + 1, time.perf_counter() - start
                if self.keeper:
                    self.keeper.after_step(trainings, place)
        errors = self._validate(pack)
        seconds = time.perf_counter() - start
        for training, error in zip(active, errors, strict=True):
            loss = float(training.loss_sum) / len(self.train_data)
            self.on_epoch(training.seed, training.end_epoch(place.epoch, loss, error, seconds))
        self.position = Position(place.epoch + 1, 0, place.micro_batches)

    def _step(
        self, pack: Pack, active: Sequence[SeedTraining], data: SplitData, rows: Tensor
    ) -> None:
        """Take one step of every seed on its utterances ``rows`` (K, B)."""
        while True:
            try:
                losses = backward(pack, data, rows, self.position)
                break
            except RuntimeError as error:
                if not is_out_of_memory(error) or not self._halve(pack, rows):
                    raise
                for training in active:
                    training.optimiser.zero_grad(set_to_none=True)
        pack.hand_back_gradients()
        for training, loss in zip(active, losses, strict=True):
            training.step()
            training.loss_sum += loss * rows.shape[1]

    def _halve(self, pack: Pack, rows: Tensor) -> bool:
        """Show batches in twice as many parts, if they can be cut; return whether they can."""
        parts = 2 * self.position.micro_batches
        if parts > rows.shape[1] or not pack.model.loss_is_mean_over_utterances:
            return False
        pack.hand_back_gradients()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.position.micro_batches = parts
        self.say(f"out of memory: batches go through in {parts} parts, with the same gradient")
        return True

    def _validate(self, pack: Pack) -> list[float]:
        """Return each seed's MAE on the validation split."""
        data = self.valid_data
        assert data.labels is not None, "a split without labels cannot be scored here"
        pack.model.eval()
        predictions = torch.empty(len(pack), len(data), device=self.device)
        with torch.inference_mode():
            chunks = data.by_length().split(max(1, BATCH // len(pack)))
            with data.ahead(rows.repeat(len(pack)) for rows in chunks) as coming:
                for rows in chunks:
                    predictions[:, rows] = pack.predict(coming, rows)
        return [float(error) for error in (predictions - data.labels).abs().mean(1)]


def _closed_form(
    model: SentimentModel, valid_data: SplitData, seed: int, on_epoch: OnEpoch
) -> TrainingResult:
    """Record a model that ``begin_training`` has fitted as a training of one epoch."""
    start = time.perf_counter()
    mae = mean_absolute_error(model, valid_data)
    curve = [Epoch(1, math.nan, mae, 0.0, time.perf_counter() - start)]
    on_epoch(seed, curve[0])
    state = {name: value.clone() for name, value in model.learned_state().items()}
    return TrainingResult(state, curve, 1, mae, "closed form")
