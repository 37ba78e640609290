"""Progress of runs: bars on a terminal, one plain line an epoch, with the time of day, in a log.

The MAE beside a bar is that of validation.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from amb.training.job import Epoch


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
                # At most: a run whose validation MAE no longer improves stops earlier.
                *([TextColumn("left ≤"), TimeRemainingColumn()] if max_epochs else []),
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
        if self.bars:
            note = f"MAE {epoch.valid_mae:.4f}"
            self.bars.update(self._task(seed), completed=epoch.epoch, note=note)
            return
        note = f"train loss {epoch.train_loss:.4f}  validation MAE {epoch.valid_mae:.4f}"
        line = f"epoch {epoch.epoch}/{self.max_epochs}  {note}  {epoch.wall_time_s:.1f} s"
        self._print(seed, line)

    def end(self, seed: int, summary: str) -> None:
        """Show how a run ended."""
        if self.bars:
            # A sentence above the bars; beside one it would leave no room for the others.
            self.bars.console.print(Text(f"{self.method} seed {seed}: {summary}"), soft_wrap=True)
            if seed in self.tasks:
                self.bars.remove_task(self.tasks.pop(seed))
            return
        self._print(seed, summary)

    def _task(self, seed: int) -> TaskID:
        if seed not in self.tasks:
            assert self.bars is not None
            name = f"{self.method} seed {seed}"
            self.tasks[seed] = self.bars.add_task(name, total=self.max_epochs, note="")
        return self.tasks[seed]

    def _print(self, seed: int, line: str) -> None:
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        print(f"{now}  {self.method} seed {seed}: {line}", file=sys.stderr, flush=True)
