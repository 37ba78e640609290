"""What goes between a command and the processes that work for it; it needs no torch.

A command that leaves the work to processes of its own need not spend seconds on importing torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """What a run needs; all of it can be sent to another process.

    Attributes:
        study_file: The study.
        store: The store's folder; ``labels.test.parquet`` in it is never opened.
        backbone: The prepared backbone's folder.
        method: Row of the study.
        runs: The folder ``runs`` of the results.
        device: ``cpu`` or ``cuda``.
        threads: Threads of one run; more than one changes the last bits.
        keep_minutes: How often a training's state is kept, to go on from after an interruption.
    """

    study_file: Path
    store: Path
    backbone: Path
    method: str
    runs: Path
    device: str
    threads: int = 1
    keep_minutes: float = 10.0

    def folder(self, seed: int) -> Path:
        """Return the run's folder."""
        return self.runs / self.method / f"seed{seed}"


@dataclass(frozen=True)
class Epoch:
    """One line of the training curve; ``learning_rate`` is that of new parameters."""

    epoch: int
    train_loss: float
    valid_mae: float
    learning_rate: float
    wall_time_s: float


Task = Callable[[Job, int, Callable[[Epoch], None]], str]
