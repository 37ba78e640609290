"""Calls of a model's modules as a stack: what each took, with and without those that it made.

A call belongs to a part of the model (embeddings, attention, adapters …): by the class of its
module, else the part of the call that made it, else the name of the model's attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from torch import nn
from torch.utils.hooks import RemovableHandle

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.model.adapter import Adapter
from amb.model.audiovisual import AudioVisualEncoder
from amb.model.bert import BertAttention, BertEmbeddings, BertLayer
from amb.model.fusion import FusionLayer
from amb.model.head import LateHead, LinearHead
from amb.profiling.clock import Clock, Mark

FRAMES = "collecting frames"
REST = "rest of the forward pass"
PARTS: Mapping[type[nn.Module], str] = {
    BertEmbeddings: "embeddings",
    BertAttention: "attention",
    BertLayer: "feed-forward",  # what is left of a layer beside its attention
    Adapter: "adapters",
    FusionLayer: "fusion",
    AudioVisualEncoder: "audio-visual encoder",
    LinearHead: "head",
    LateHead: "head",
}


@dataclass
class Call:
    """One call of a module, or one collection of frames.

    Attributes:
        name: The module's name in the model, empty for the model itself.
        part: The part that it belongs to.
        parent: Place of the call that made it, None for an outermost one.
        start: When it began.
        end: When it ended.
    """

    name: str
    part: str
    parent: int | None
    start: Mark
    end: Mark = None


class CallStack:
    """Records the calls of a model's modules, by hooks.

    Args:
        clock: Makes the marks.
        on_output: Given what each outermost call returns.

    Attributes:
        calls: Those of the step so far, in the order in which they began.
    """

    def __init__(self, clock: Clock, on_output: Callable[[Any], None]) -> None:
        self._clock, self._on_output = clock, on_output
        self._open: list[int] = []
        self.calls: list[Call] = []

    def clear(self) -> None:
        """Forget all calls."""
        self.calls, self._open = [], []

    def attach(self, model: nn.Module) -> list[RemovableHandle]:
        """Hook onto every module of a model; the handles take the hooks off."""
        handles = []
        for name, module in model.named_modules():
            handles.append(module.register_forward_pre_hook(self._enter(name, module)))
            handles.append(module.register_forward_hook(self._leave))
        return handles

    @contextmanager
    def call(self, name: str, part: str | None) -> Iterator[None]:
        """Record a block as a call."""
        self._begin(name, part)
        try:
            yield
        finally:
            self._end()

    def _enter(self, name: str, module: nn.Module) -> Any:
        part = PARTS.get(type(module))

        def enter(_: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
            self._begin(name, part)
            return tuple(self._watched(argument) for argument in arguments)

        return enter

    def _leave(self, _: nn.Module, __: Any, output: Any) -> None:
        self._end()
        if not self._open:
            self._on_output(output)

    def _watched(self, argument: Any) -> Any:
        """Let a batch report when its frames are collected."""
        if isinstance(argument, Batch) and not isinstance(argument.frames, _WatchedFrames):
            return replace(argument, frames=_WatchedFrames(argument.frames, self))
        return argument

    def _begin(self, name: str, part: str | None) -> None:
        parent = self._open[-1] if self._open else None
        self._open.append(len(self.calls))
        part = part or self._inherited(name, parent)
        self.calls.append(Call(name, part, parent, self._clock.mark()))

    def _inherited(self, name: str, parent: int | None) -> str:
        if parent is not None and self.calls[parent].name:
            return self.calls[parent].part
        return name.split(".")[0] or REST

    def _end(self) -> None:
        self.calls[self._open.pop()].end = self._clock.mark()


class _WatchedFrames(Mapping[str, Frames]):
    """Frames of a batch; collecting a modality for the first time is recorded as a call."""

    def __init__(self, frames: Mapping[str, Frames], stack: CallStack) -> None:
        self._frames, self._stack = frames, stack
        self._asked: set[str] = set()

    def __getitem__(self, modality: str) -> Frames:
        if modality in self._asked:
            return self._frames[modality]
        self._asked.add(modality)
        with self._stack.call(f"frames of {modality}", FRAMES):
            return self._frames[modality]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)


def durations(calls: Sequence[Call], clock: Clock) -> tuple[list[float], list[float]]:
    """Return what each call took in ms: inclusive, and without the calls that it made."""
    inclusive = [clock.milliseconds(call.start, call.end) for call in calls]
    exclusive = list(inclusive)
    for call, own in zip(calls, inclusive, strict=True):
        if call.parent is not None:
            exclusive[call.parent] -= own
    return inclusive, exclusive
