"""Watches training steps by hooks on the optimiser, the model and its parameters.

The loop that is watched is the one that trains, and does not know of it::

    step begins ─ batch ─▶ first module ─ forward ─▶ last module ─ loss ─▶ first gradient
      ─ backward ─▶ last gradient of a parameter ─ clipping ─▶ optimiser ─▶ step ends

First come steps that nobody times, then steps that are timed as a whole, then as many with hooks on
every module, then a trace. A step that validation interrupts is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils import _pytree as pytree
from torch.utils.hooks import RemovableHandle

from amb.profiling.calls import Call, CallStack
from amb.profiling.clock import Clock, Mark
from amb.profiling.trace import Trace


class EnoughError(Exception):
    """All steps that were asked for have been watched; it ends the training."""


@dataclass
class WatchedStep:
    """The marks of one step in their order, and the calls of its forward pass."""

    begin: Mark
    first_gradient: Mark = None
    last_gradient: Mark = None
    optimiser: Mark = None
    end: Mark = None
    calls: list[Call] = field(default_factory=list)


class StepWatch:
    """Watches the steps of a training until it has seen enough of them.

    Args:
        clock: Of the device that trains.
        warmup: Steps before the first that is timed.
        steps: Steps to time as a whole, and then as many with all hooks.
        trace: File for a trace of some further steps; None: no trace.

    Attributes:
        whole: Begin and end of the steps that were timed as a whole.
        watched: Those that were timed with all hooks.
    """

    def __init__(self, clock: Clock, warmup: int, steps: int, trace: Path | None = None) -> None:
        self.whole: list[tuple[Mark, Mark]] = []
        self.watched: list[WatchedStep] = []
        self._clock, self._untimed, self._steps = clock, warmup, steps
        self._trace = None if trace is None else Trace(trace)
        self._stack = CallStack(clock, self._after_outermost)
        self._handles: list[RemovableHandle] = []
        self._model: nn.Module
        self._parameters: list[Tensor] = []
        self._begin: Mark = None
        self._step: WatchedStep | None = None
        self._interrupted = False
        self._enough = False

    @property
    def done(self) -> bool:
        """Whether all that was asked for has been seen."""
        return self._enough

    @contextmanager
    def on(self, model: nn.Module) -> Iterator[None]:
        """Watch the training of a model that the block runs; it ends with the last step."""
        self._model, self._begin, self._step = model, None, None
        always = [
            model.register_forward_pre_hook(self._notice_validation),
            register_optimizer_step_pre_hook(self._before_optimiser),
            register_optimizer_step_post_hook(self._after_optimiser),
        ]
        try:
            yield
        except EnoughError:
            self._enough = True
        finally:
            self._detach()
            for handle in always:
                handle.remove()

    def _notice_validation(self, module: nn.Module, _: Any) -> None:
        self._interrupted = self._interrupted or not module.training

    def _after_outermost(self, output: Any) -> None:
        """Mark the step when the first gradient comes back to what the model returned."""
        for value in pytree.tree_leaves(output):
            if isinstance(value, Tensor) and value.requires_grad:
                value.register_hook(self._at_first_gradient)

    def _at_first_gradient(self, _: Tensor) -> None:
        if self._step is not None and self._step.first_gradient is None:
            self._step.first_gradient = self._clock.mark()

    def _after_gradient(self, _: Tensor) -> None:
        if self._step is not None:
            self._step.last_gradient = self._clock.mark()

    def _before_optimiser(self, optimiser: Optimizer, *_: Any) -> None:
        if self._step is not None:
            self._step.optimiser = self._clock.mark()
        self._parameters = [p for group in optimiser.param_groups for p in group["params"]]

    def _after_optimiser(self, *_: Any) -> None:
        begin, end = self._begin, self._clock.mark()
        if begin is not None and not self._interrupted:
            self._count(begin, end)
        self._stack.clear()
        self._interrupted = False
        self._prepare()
        self._begin = self._clock.mark()
        self._step = WatchedStep(self._begin) if self._handles else None

    def _count(self, begin: Mark, end: Mark) -> None:
        """Take note of a step that nothing interrupted."""
        if self._untimed > 0:
            self._untimed -= 1
        elif len(self.whole) < self._steps:
            self.whole.append((begin, end))
        elif self._step is not None:
            self._step.end, self._step.calls = end, self._stack.calls
            self.watched.append(self._step)

    def _prepare(self) -> None:
        """Put hooks on and take them off, as the next step needs them."""
        if len(self.whole) < self._steps:
            return
        if len(self.watched) < self._steps:
            self._attach()
            return
        self._detach()
        if self._trace is None or not self._trace.goes_on(self._model):
            raise EnoughError

    def _attach(self) -> None:
        """Hook onto all modules and parameters, unless that is done."""
        if self._handles:
            return
        self._handles = self._stack.attach(self._model)
        self._handles += [
            parameter.register_post_accumulate_grad_hook(self._after_gradient)
            for parameter in self._parameters
        ]

    def _detach(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
