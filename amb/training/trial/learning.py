"""Learning: every parameter that trains is reached, and a checkpoint holds what was learned.

Notation: B batch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.model.method import SentimentModel
from amb.study import TrainingSettings
from amb.training.optimiser import build_optimiser
from amb.training.trial.accused import Accused
from amb.training.trial.predictions import differ

STEPS = 3  # a projection that begins at zero blocks the first gradient of what lies below it
# Adding one number to all scores of a softmax changes nothing: its gradient is 0, or rounding.
WITHOUT_EFFECT = "key.bias"


def require_gradients(
    accused: Accused, model: SentimentModel, batch: Batch, settings: TrainingSettings
) -> None:
    """Take some steps, and check that every trainable parameter learns from them.

    Args:
        accused: The method.
        model: In training mode; it is trained.
        batch: B labelled utterances.
        settings: The row's recipe, which must fit the model's parts.

    Raises:
        InputError: The loss is no finite scalar, nothing is trainable, or a parameter that trains
            gets no gradient, or one that is not finite.
    """
    trainable = {n: p for n, p in model.named_parameters() if p.requires_grad}
    if not trainable:
        hint = "Give it a layer of its own, or load the backbone with trainable=True"
        raise accused.fault("trainable parameters", 0, "at least one", hint)
    build_optimiser(model, settings)
    # The steps are not of the row's own recipe: that it may diverge is no fault of the method.
    recipe = TrainingSettings(max_epochs=STEPS)
    optimiser = build_optimiser(model, recipe) if model.trains_by_gradient else None
    silent = {name for name in trainable if WITHOUT_EFFECT not in name}
    for epoch in range(1, 1 + (STEPS if optimiser else 1)):
        model.begin_epoch(epoch)
        _backward(accused, model, batch)
        _require_finite_gradients(accused, trainable)
        if epoch == 1:
            _complain_of_silence(accused, [n for n, p in trainable.items() if p.grad is None])
        if optimiser:
            silent -= _reached(trainable)
            optimiser.step()
            optimiser.zero_grad()
    if optimiser and silent:
        longer = _with_longer_sequences(batch)
        if longer is not None:
            silent -= _reached_by(model, longer, trainable)
        _complain_of_silence(accused, sorted(silent))


def require_saved_state(
    accused: Accused, model: SentimentModel, build: Callable[[], SentimentModel], batch: Batch
) -> None:
    """Check that what a checkpoint holds gives the trained model again.

    Args:
        accused: The method.
        model: Trained a little.
        build: Builds another one, under another seed.
        batch: B utterances.

    Raises:
        InputError: The rebuilt model predicts something else.
    """
    other = build()
    state = other.learned_state()
    with torch.no_grad():
        for name, value in model.learned_state().items():
            state[name].copy_(value)
        expected, found = model.eval()(batch), other.eval()(batch)
    if differ(model, found, expected):
        raise accused.fault(
            "checkpoint",
            f"predictions that move by {float((found - expected).abs().max()):.2g} once loaded",
            "the trained model's predictions",
            "What begins at random or changes in training must be an nn.Parameter of a module"
            " or a register_buffer; tensors in lists, dicts and plain attributes are not saved",
        )


def _backward(accused: Accused, model: SentimentModel, batch: Batch) -> None:
    with accused.running("loss", "a scalar to minimise, that gradients follow from", batch):
        loss = model.loss(batch)
    if not isinstance(loss, Tensor) or loss.dim() != 0:
        found = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
        raise accused.fault("loss", found, "a scalar, shape ()", "Take the mean over utterances")
    if not bool(torch.isfinite(loss)):
        hint = "It is computed from finite predictions and labels: look into loss()"
        raise accused.fault("loss", float(loss.detach()), "a finite number", hint)
    with accused.running("loss", "a gradient", batch):
        loss.backward()


def _require_finite_gradients(accused: Accused, trainable: Mapping[str, nn.Parameter]) -> None:
    broken = [
        n for n, p in trainable.items() if p.grad is not None and not torch.isfinite(p.grad).all()
    ]
    if broken:
        hint = "A root or norm at 0, or 0 · inf in a masked branch, has such a gradient: add an ε"
        raise accused.fault("gradients of", broken[:5], "finite numbers", hint)


def _complain_of_silence(accused: Accused, names: list[str]) -> None:
    if names:
        raise accused.fault(
            "parameters without a gradient",
            names[:5],
            f"a gradient within {STEPS} steps for every parameter that trains",
            "forward() does not use them, or cuts them off by .detach(), no_grad() or .data;"
            " remove them, use them, or set requires_grad_(False)",
        )


def _reached(trainable: Mapping[str, nn.Parameter]) -> set[str]:
    """Return the names of the parameters whose gradient is there, and not 0."""
    return {n for n, p in trainable.items() if p.grad is not None and bool(p.grad.any())}


def _reached_by(
    model: SentimentModel, batch: Batch, trainable: Mapping[str, nn.Parameter]
) -> set[str]:
    """Return what a batch gives a gradient; everything, where the model cannot read it."""
    try:
        model.loss(batch).backward()
    except Exception:  # whatever a method raises that was written for its own data alone
        return set(trainable)
    return _reached(trainable)


def _with_longer_sequences(batch: Batch) -> Batch | None:
    """Return the batch with several frames where all utterances have one; None if none are so.

    Over one frame there is nothing to attend to and nothing to recur: what does that has no
    gradient there, and is no fault of the method.
    """
    frames = dict(batch.frames)
    for modality, own in batch.frames.items():
        if own.mask.shape[1] == 1:
            steps = torch.linspace(1, -1, STEPS, device=own.values.device).unsqueeze(-1)
            frames[modality] = Frames(own.values * steps, own.mask.expand(-1, STEPS))
    if all(frames[modality] is own for modality, own in batch.frames.items()):
        return None
    return dataclasses.replace(batch, frames=frames)
