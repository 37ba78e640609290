"""What ``forward`` returns: a finite number an utterance, whatever stands beside it in a batch.

Notation: B batch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor, nn

from amb.data.batches import Batch, SplitData
from amb.data.frames import Frames
from amb.model.method import SentimentModel
from amb.model.precision import precision_of
from amb.training.pack import TOLERANCES
from amb.training.trial.accused import Accused

POLLUTION = 1e3  # where padding is


def require_predictions(
    accused: Accused, model: SentimentModel, batch: Batch, labels: Tensor | None
) -> Tensor:
    """Predict a batch, and check what comes out.

    Args:
        accused: The method.
        model: The model.
        batch: B utterances.
        labels: What ``forward`` finds in ``batch.labels``; None as in prediction.

    Returns:
        Predictions (B,).

    Raises:
        InputError: It raises an error, or returns something other than (B,) finite float32.
    """
    size = len(batch.token_ids)
    given = dataclasses.replace(batch, labels=labels)
    expected = f"one prediction an utterance, ({size},)"
    if labels is None:
        expected += ", without labels: batch.labels is None where a model predicts"
    with accused.running("forward", expected, batch):
        predictions = model(given)
    if not isinstance(predictions, Tensor):
        hint = "Return the tensor alone"
        raise accused.fault("forward", type(predictions).__name__, f"a tensor ({size},)", hint)
    if predictions.shape != (size,):
        hint = "A linear map to one number gives (B, 1): end with .squeeze(-1)"
        raise accused.fault("forward: shape", tuple(predictions.shape), f"({size},)", hint)
    if predictions.dtype != torch.float32:
        hint = "Features are float32; .float() turns what NumPy or a comparison made into it"
        raise accused.fault("forward: dtype", str(predictions.dtype), "torch.float32", hint)
    if not bool(torch.isfinite(predictions).all()):
        culprit = _first_non_finite(model, given)
        hint = f"{culprit} Logarithms, roots and divisions need a floor; masked means a count ≥ 1"
        found = predictions.detach().tolist()
        raise accused.fault("forward: predictions", found, "finite numbers", hint)
    return predictions


def require_independence(
    accused: Accused, model: SentimentModel, data: SplitData, rows: Tensor
) -> None:
    """Check that the prediction of an utterance does not depend on what stands beside it.

    Args:
        accused: The method.
        model: In evaluation mode.
        data: A split.
        rows: Utterances (B,), of different lengths.

    Raises:
        InputError: It depends on the order of the batch, on the other utterances, or on what
            padding holds.
    """
    batch = data.batch(rows)
    with torch.no_grad():
        expected = model(batch)
        reversed_order = model(data.batch(rows.flip(0))).flip(0)
        alone = model(data.batch(rows[:1]))
        polluted = model(_with_polluted_padding(batch))
    # In evaluation mode no norm looks at the batch, and dropout is off.
    about = "The mask of a sequence is batch.frames[…].mask, that of words batch.token_mask"
    faults = (
        (reversed_order, "the order of the batch", "Something is computed across the batch: look"
         " for a dimension that is summed, normed or attended over by mistake"),
        (polluted, "what stands in the padding", f"Mask padding before means, maxima, attention"
         f" and recurrent layers. {about}"),
        (torch.cat([alone, expected[1:]]), "the other utterances of the batch", "Look for padding"
         f" that is counted, and for norms over the batch. {about}"),
    )  # fmt: skip
    for outcome, cause, hint in faults:
        if differ(model, outcome, expected):
            largest = float((outcome - expected).abs().max())
            found = f"predictions that move by {largest:.2g} with {cause}"
            raise accused.fault("forward", found, "the same prediction in any batch", hint)


def differ(model: SentimentModel, found: Tensor, expected: Tensor) -> bool:
    """Whether predictions (B,) differ by more than rounding in the model's precision."""
    limit = TOLERANCES[precision_of(model)] * (1 + expected.abs().max())
    return bool((found - expected).abs().max() > limit)


def _with_polluted_padding(batch: Batch) -> Batch:
    """Return the batch with other word-pieces and large numbers where padding is."""
    some_piece = batch.token_ids.max()
    frames = {
        modality: Frames(
            torch.where(own.mask.unsqueeze(-1), own.values, POLLUTION),
            own.mask,
        )
        for modality, own in batch.frames.items()
    }
    token_ids = torch.where(batch.token_mask, batch.token_ids, some_piece)
    return dataclasses.replace(batch, token_ids=token_ids, frames=frames)


def _first_non_finite(model: SentimentModel, batch: Batch) -> str:
    """Say which module was the first to return a number that is not finite."""
    culprits: list[str] = []

    def watch(name: str) -> Callable[[nn.Module, object, object], None]:
        def note(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and not torch.isfinite(output).all():
                culprits.append(name)

        return note

    hooks = [
        module.register_forward_hook(watch(name))
        for name, module in model.named_modules()
        if name and not any(module.children())
    ]
    try:
        with torch.no_grad():
            model(batch)
    finally:
        for hook in hooks:
            hook.remove()
    if culprits:
        return f"The first module to return NaN or an infinite number is {culprits[0]}."
    return "All modules return finite numbers: it happens in forward() itself."
