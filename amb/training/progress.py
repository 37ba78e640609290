"""Progress of runs: bars on a terminal, one plain line an epoch in a log."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from amb.training.seed_training import Epoch


class RunProgress:
    """Shows the runs of one job; use as a context manager.

    Args:
        method: Row of the study.
        max_epochs: Epochs at most; None where nothing is trained.
    """

    def __init__(self, method: str, max_epochs: int | None) -> None:
        self.method = method
        self.max_epochs = max_epochs
        console = Console(stderr=True)
        self.bars: Progress | None = None
        if console.is_terminal:
            epochs = "epoch {task.completed:.0f}/{task.total:.0f}"
            self.bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                *([TextColumn(epochs)] if max_epochs else []),
                TextColumn("{task.fields[note]}"),
                TimeElapsedColumn(),
                console=console,
            )
        self.tasks: dict[int, TaskID] = {}

    def __enter__(self) -> RunProgress:
        if self.bars:
            self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bars:
            self.bars.stop()

    def epoch(self, seed: int, epoch: Epoch) -> None:
        """Show one finished epoch of one run."""
        note = f"train loss {epoch.train_loss:.4f}  validation MAE {epoch.valid_mae:.4f}"
        if self.bars:
            self.bars.update(self._task(seed), completed=epoch.epoch, note=note)
            return
        line = f"epoch {epoch.epoch}/{self.max_epochs}  {note}  {epoch.wall_time_s:.1f} s"
        self._print(seed, line)

    def end(self, seed: int, summary: str) -> None:
        """Show how a run ended."""
        if self.bars:
            self.bars.update(self._task(seed), note=summary)
            return
        self._print(seed, summary)

    def _task(self, seed: int) -> TaskID:
        if seed not in self.tasks:
            assert self.bars is not None
            name = f"{self.method} seed {seed}"
            self.tasks[seed] = self.bars.add_task(name, total=self.max_epochs, note="")
        return self.tasks[seed]

    def _print(self, seed: int, line: str) -> None:
        print(f"{self.method} seed {seed}: {line}", file=sys.stderr, flush=True)
