"""Marks in time: of this process, or of the work that a GPU has been handed."""

from __future__ import annotations

import time
from typing import Any, Protocol

import torch

Mark = Any


class Clock(Protocol):
    """Makes marks and tells how far apart they lie."""

    def mark(self) -> Mark:
        """Return a mark of now."""

    def milliseconds(self, start: Mark, end: Mark) -> float:
        """Return the time between two marks, once ``wait`` has returned."""

    def wait(self) -> None:
        """Wait until all marks have been passed."""


class HostClock:
    """The time of this process."""

    def mark(self) -> Mark:
        """Return a mark of now."""
        return time.perf_counter_ns()

    def milliseconds(self, start: Mark, end: Mark) -> float:
        """Return the time between two marks."""
        return float(end - start) / 1e6

    def wait(self) -> None:
        """All marks have been passed."""


class StreamClock:
    """The time at which a GPU gets to a mark: it may lag behind the process that hands it work.

    Args:
        device: The GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def mark(self) -> Mark:
        """Return a mark behind all work handed over so far."""
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def milliseconds(self, start: Mark, end: Mark) -> float:
        """Return the time between two marks that the GPU has passed."""
        return float(start.elapsed_time(end))

    def wait(self) -> None:
        """Wait until the GPU has passed all marks."""
        torch.cuda.synchronize(self._device)


def clock_of(device: torch.device) -> Clock:
    """Return the clock of a device."""
    return StreamClock(device) if device.type == "cuda" else HostClock()
