"""The one training loop: a method's own loss, AdamW, early stopping on validation MAE.

It knows batches, labels of train and valid, and a model that returns one number an utterance. A
method that is fitted in closed form is fitted, validated and done.
Labels of the test split do not exist here.

Notation: B batch, U utterances of a split.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from amb.data.batches import SplitData
from amb.data.dataset import FRAME_MODALITIES
from amb.errors import InputError
from amb.model.method import SentimentModel
from amb.study import TrainingSettings

PREDICTION_BATCH = 256


@dataclass(frozen=True)
class Epoch:
    """One line of the training curve; ``learning_rate`` is that of new parameters."""

    epoch: int
    train_loss: float
    valid_mae: float
    learning_rate: float
    wall_time_s: float


@dataclass(frozen=True)
class TrainingResult:
    """What training leaves behind.

    Attributes:
        state: The trainable parameters of the best epoch, by name.
        curve: One entry an epoch.
        best_epoch: The epoch with the lowest validation MAE, from 1.
        stopped: Why training ended: ``max_epochs``, ``patience``, ``non-finite loss`` or
            ``closed form``.
    """

    state: dict[str, Tensor]
    curve: list[Epoch]
    best_epoch: int
    stopped: str


def train(
    model: SentimentModel,
    train_data: SplitData,
    valid_data: SplitData,
    settings: TrainingSettings,
    order: torch.Generator,
    on_epoch: Callable[[Epoch], None],
) -> TrainingResult:
    """Train until validation MAE has stopped improving, and return the best epoch's parameters.

    Args:
        model: Trained in place.
        train_data: Labelled utterances.
        valid_data: Labelled utterances that choose the epoch.
        settings: The recipe.
        order: Generator of the order of utterances; dropout draws from torch's global one.
        on_epoch: Called after every epoch.

    Returns:
        The best epoch's state and the curve.

    Raises:
        InputError: The loss is not finite before any epoch has ended.
    """
    model.begin_training(train_data)
    if not model.trains_by_gradient:
        return _closed_form(model, valid_data, on_epoch)
    optimiser = build_optimiser(model, settings)
    plateau = _plateau_schedule(optimiser, settings)
    curve: list[Epoch] = []
    best_mae, best_epoch, state, stopped = math.inf, 0, {}, "max_epochs"
    for epoch in range(1, settings.max_epochs + 1):
        start = time.perf_counter()
        model.begin_epoch(epoch)
        loss = _run_epoch(model, train_data, settings, optimiser, order)
        mae = mean_absolute_error(model, valid_data)
        if not math.isfinite(loss + mae):
            stopped = "non-finite loss"
            break
        rate = optimiser.param_groups[-1]["lr"]
        curve.append(Epoch(epoch, loss, mae, rate, time.perf_counter() - start))
        if mae < best_mae:
            best_mae, best_epoch = mae, epoch
            state = {name: value.clone() for name, value in model.learned_state().items()}
        on_epoch(curve[-1])
        if epoch - best_epoch >= settings.patience:
            stopped = "patience"
            break
        if plateau is not None:
            plateau.step(mae)
    if not state:
        raise InputError("training", "loss", "not finite in the first epoch", "a finite loss")
    return TrainingResult(state, curve, best_epoch, stopped)


def build_optimiser(model: SentimentModel, settings: TrainingSettings) -> torch.optim.AdamW:
    """Return AdamW with one rate for each group of parameters.

    The study's ``group_learning_rates`` has the last word; a group that it does not name trains at
    the backbone's rate if it is the backbone, else at that of new parameters.
    Weight decay acts on matrices only; not on biases, norms and embeddings, so that the
    embedding of a word-piece that training never shows stays what pretraining made it.
    """
    named_groups = model.trainable_groups()
    for group in settings.group_learning_rates:
        # A preset may name a modality that these data lack; anything else is a mistake.
        if group not in named_groups and group not in FRAME_MODALITIES:
            allowed = f"one of {', '.join(named_groups)}"
            raise InputError("study", "training.group_learning_rates", group, allowed)
    rates = {"backbone": settings.backbone_learning_rate, **settings.group_learning_rates}
    groups = []
    for group, named in named_groups.items():
        for decays in (True, False):
            chosen = [p for name, p in named.items() if _decays(name, p) == decays]
            decay = settings.weight_decay if decays else 0.0
            if chosen:
                groups.append({"params": chosen, "lr": rates.get(group, settings.learning_rate)})
                groups[-1]["weight_decay"] = decay
    return torch.optim.AdamW(groups, fused=True)


def predict(model: SentimentModel, data: SplitData) -> Tensor:
    """Predict a whole split in evaluation mode: (U,) float32, in the split's order."""
    model.eval()
    predictions = torch.empty(len(data), device=data.token_ids.values.device)
    with torch.inference_mode():
        for rows, batch in data.batches(data.by_length(), PREDICTION_BATCH):
            predictions[rows] = model(batch).float()
    return predictions


def mean_absolute_error(model: SentimentModel, data: SplitData) -> float:
    """Return the MAE of a labelled split."""
    assert data.labels is not None, "a split without labels cannot be scored here"
    return float((predict(model, data) - data.labels).abs().mean())


def _closed_form(
    model: SentimentModel, valid_data: SplitData, on_epoch: Callable[[Epoch], None]
) -> TrainingResult:
    """Record a model that ``begin_training`` has fitted as a training of one epoch."""
    start = time.perf_counter()
    mae = mean_absolute_error(model, valid_data)
    curve = [Epoch(1, math.nan, mae, 0.0, time.perf_counter() - start)]
    on_epoch(curve[0])
    state = {name: value.clone() for name, value in model.learned_state().items()}
    return TrainingResult(state, curve, 1, "closed form")


def _run_epoch(
    model: SentimentModel,
    data: SplitData,
    settings: TrainingSettings,
    optimiser: torch.optim.Optimizer,
    order: torch.Generator,
) -> float:
    """Show every utterance once, in random order; return the mean loss."""
    model.train()
    rows = torch.randperm(len(data), generator=order).to(data.token_ids.values.device)
    total = torch.zeros((), device=rows.device)
    trainable = [p for group in optimiser.param_groups for p in group["params"]]
    for chunk, batch in data.batches(rows, settings.batch_size):
        loss = model.loss(batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if settings.gradient_clip > 0:
            torch.nn.utils.clip_grad_norm_(trainable, settings.gradient_clip)
        optimiser.step()
        total += loss.detach() * len(chunk)
    return float(total) / len(data)


def _plateau_schedule(
    optimiser: torch.optim.Optimizer, settings: TrainingSettings
) -> torch.optim.lr_scheduler.ReduceLROnPlateau | None:
    """Return the schedule of the learning rates, None where they are constant."""
    if settings.plateau_factor == 1:
        return None
    return torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=settings.plateau_factor, patience=settings.plateau_patience
    )


def _decays(name: str, parameter: Tensor) -> bool:
    return parameter.dim() >= 2 and "embeddings" not in name
