"""A trace of some training steps for Chrome's or Perfetto's viewer, by torch's own profiler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils.hooks import RemovableHandle

from amb.files import atomic_path

STEPS = 3


class Trace:
    """Records operators, kernels and the calls of a model's modules.

    Args:
        file: Where the trace goes.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._left = STEPS
        self._profiler: profile | None = None
        self._handles: list[RemovableHandle] = []
        self._open: list[record_function] = []

    def goes_on(self, model: nn.Module) -> bool:
        """Between two steps: start with the first, write after the last; return whether it goes on.

        Args:
            model: The model that trains.

        Returns:
            False once the trace has been written.
        """
        if self._profiler is None:
            self._start(model)
        elif self._left > 0:
            self._left -= 1
        if self._left > 0:
            return True
        self._stop()
        return False

    def _start(self, model: nn.Module) -> None:
        activities = [ProfilerActivity.CPU]
        if torch.cuda.is_available():
            activities.append(ProfilerActivity.CUDA)
        for name, module in model.named_modules():
            self._handles.append(module.register_forward_pre_hook(self._enter(name or "model")))
            self._handles.append(module.register_forward_hook(self._leave))
        self._profiler = profile(activities=activities)
        self._profiler.start()

    def _enter(self, name: str) -> Any:
        def enter(*_: Any) -> None:
            self._open.append(record_function(name))
            self._open[-1].__enter__()

        return enter

    def _leave(self, *_: Any) -> None:
        self._open.pop().__exit__(None, None, None)

    def _stop(self) -> None:
        assert self._profiler is not None, "nothing was started"
        self._profiler.stop()
        for handle in self._handles:
            handle.remove()
        with atomic_path(self._file) as temporary:
            self._profiler.export_chrome_trace(str(temporary))
