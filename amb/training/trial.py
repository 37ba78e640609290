"""A method tried on a small batch: each function here looks for one fault, and explains it.

An error names the method's file, what was found, what was expected and what to do, so that a
fault shows in seconds and not after the training.

Notation: B batch.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import linecache
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from amb.data.batches import Batch, SplitData
from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.method import SentimentModel, method_module
from amb.model.precision import precision_of
from amb.source_graph import ROOT, builder_file, files_behind, imported_files
from amb.study import KNOWN_BUILDERS, TrainingSettings
from amb.training.memory import is_out_of_memory
from amb.training.optimiser import build_optimiser
from amb.training.pack import TOLERANCES

STEPS = 3  # a projection that begins at zero blocks the first gradient of what lies below it
FIREWALL = ROOT / "amb" / "data" / "firewall.py"
# Adding one number to all scores of a softmax changes nothing: its gradient is 0, or rounding.
WITHOUT_EFFECT = "key.bias"
POLLUTION = 1e3


@dataclasses.dataclass(frozen=True)
class Accused:
    """The method on trial, as errors name it.

    Attributes:
        row: Row of the study.
        builder: ``amb``, or the name of a file in ``baselines/``.
    """

    row: str
    builder: str

    @cached_property
    def path(self) -> Path:
        """The file that builds it."""
        spec = importlib.util.find_spec(method_module(self.builder))
        return Path(spec.origin) if spec and spec.origin else ROOT / builder_file(self.builder)

    @property
    def file(self) -> Path:
        """The same, relative to the project's root where it lies there."""
        return self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path

    def fault(self, part: str, found: object, expected: str, hint: str) -> InputError:
        """Return the error for a fault in one part of the file."""
        return InputError(self.file, f"{part} (row {self.row})", found, expected, hint)

    @contextmanager
    def running(self, part: str, expected: str, batch: Batch | None = None) -> Iterator[None]:
        """Explain whatever a part of the method raises.

        Args:
            part: ``build``, ``forward``, ``loss`` or ``begin_training``.
            expected: What it should have done.
            batch: What it was given, for the message.

        Yields:
            Nothing.

        Raises:
            InputError: It raised an error, whose line in the method's file is named.
        """
        try:
            yield
        except (InputError, MemoryError, OSError):
            raise
        except Exception as error:
            if isinstance(error, RuntimeError) and is_out_of_memory(error):
                raise
            line = _line_of(error, self.path)
            given = f" It was given {describe(batch)}." if batch is not None else ""
            hint = f"{line}{given} Correct it and run the same command again"
            found = f"{type(error).__name__}: {error}"
            raise self.fault(part, found, expected, hint) from error


def describe(batch: Batch) -> str:
    """Return the shapes of a batch in a line."""
    shapes = {"token_ids": batch.token_ids.shape}
    shapes |= {f"frames[{m!r}].values": batch.frames[m].values.shape for m in batch.frames}
    return ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items())


def require_no_way_to_test_labels(accused: Accused) -> None:
    """Refuse a method that could see labels of the test split.

    Args:
        accused: The method.

    Raises:
        InputError: Its file, or one that it imports, imports what reads those labels.
    """
    imported = [file.as_posix() for file in imported_files(accused.path)]
    if FIREWALL in files_behind(imported):
        raise accused.fault(
            "imports",
            "amb.data.firewall, by itself or by what it imports",
            "no way to the labels of the test split",
            "Only `amb evaluate` opens them; a method learns from batch.labels, in loss()",
        )


def require_blind(accused: Accused, model: SentimentModel) -> None:
    """Refuse a class that asks to be shown labels.

    Args:
        accused: The method.
        model: As it was built.

    Raises:
        InputError: ``reads_labels`` is set, and this is not the control that has it.
    """
    if model.reads_labels and accused.builder not in KNOWN_BUILDERS:
        raise accused.fault(
            f"{type(model).__name__}.reads_labels",
            True,
            "False",
            "It would be shown the labels of the test split; only the control label_oracle is",
        )


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


def require_labels_unread(accused: Accused, model: SentimentModel, batch: Batch) -> None:
    """Check that predictions do not depend on labels, in evaluation and in training.

    Args:
        accused: The method.
        model: The model; it is left in training mode.
        batch: B labelled utterances.

    Raises:
        InputError: They do, or ``forward`` fails without labels.
    """
    assert batch.labels is not None, "a labelled batch is needed"
    for training in (False, True):
        model.train(training)
        outcomes = []
        for labels in (None, batch.labels, -batch.labels - 1):
            with torch.random.fork_rng(), torch.no_grad():
                torch.manual_seed(0)  # the same dropout each time
                outcomes.append(require_predictions(accused, model, batch, labels))
        if any(differ(model, other, outcomes[0]) for other in outcomes[1:]):
            mode = "training" if training else "evaluation"
            raise accused.fault(
                "forward",
                f"predictions that change with batch.labels, in {mode} mode",
                "predictions from words and features alone",
                "Labels belong into loss(batch); where a model predicts there are none",
            )


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


def differ(model: SentimentModel, found: Tensor, expected: Tensor) -> bool:
    """Whether predictions (B,) differ by more than rounding in the model's precision."""
    limit = TOLERANCES[precision_of(model)] * (1 + expected.abs().max())
    return bool((found - expected).abs().max() > limit)


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


def _line_of(error: BaseException, file: Path) -> str:
    """Say where an error arose: the last line of the method's own file, or the last of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename) == file]
    last = (own or frames)[-1]
    text = linecache.getline(last.filename, last.lineno or 0).strip()
    place = "Line" if own else f"{last.filename}, line"
    return f"{place} {last.lineno}: `{text}`."
