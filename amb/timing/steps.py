"""Training steps of one row, as the training loop takes them, without validation.

Departure: from the loop, a block goes through the training split in one fixed random order, the
same for both rows, and starts anew where the split ends; so both rows see the same utterances.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from amb.errors import InputError
from amb.model.precision import BF16, use_matmul_precision
from amb.study import TrainingSettings
from amb.training.epoch_order import epoch_order
from amb.training.job import Job
from amb.training.loop import Position, backward
from amb.training.pack import Pack
from amb.training.run import build_model, open_context
from amb.training.seed_training import SeedTraining
from amb.training.seen_embedding import train_seen_rows_only


class TimedRow:
    """One row of a study, ready to train.

    Args:
        job: The row and its files.
        seed: Seed of its initial weights and of the order of utterances.

    Attributes:
        settings: Its training recipe.
        device: Where it trains.
    """

    def __init__(self, job: Job, seed: int) -> None:
        context = open_context(job)
        self.settings: TrainingSettings = context.study.methods[job.method].training
        self.device: torch.device = context.device
        self._data = context.splits["train"]
        model = build_model(job, seed)
        if not model.trains_by_gradient:
            raise InputError("amb speed", job.method, "fitted in closed form", "a row with steps")
        train_seen_rows_only(model, self._data.token_ids.own_values())
        model.begin_training(self._data)
        model.begin_epoch(1)
        self._training = SeedTraining(model, seed, self.settings)
        self._pack = Pack([model], [seed])
        self._position = Position()
        self._rows = self._endless_rows(seed)
        self._matmul_precision = self.settings.matmul_precision

    @property
    def precision(self) -> str:
        """How exactly it multiplies: ``bf16``, or torch's setting for float32 products."""
        return BF16 if self.settings.precision == BF16 else self._matmul_precision

    def time_block(self, steps: int) -> tuple[float, int]:
        """Take training steps and time them.

        Args:
            steps: How many.

        Returns:
            Seconds, and the number of utterances that were shown.
        """
        self._matmul_precision = use_matmul_precision(self.settings.matmul_precision, self.device)
        self._pack.model.train()
        utterances = 0
        self._wait()
        start = time.perf_counter()
        block = list(islice(self._rows, steps))
        with self._data.ahead(block) as data:
            for rows in block:
                backward(self._pack, data, rows.unsqueeze(0), self._position)
                self._training.step()
                self._position.step += 1
                utterances += len(rows)
        self._wait()
        return time.perf_counter() - start, utterances

    def _endless_rows(self, seed: int) -> Iterator[Tensor]:
        order = epoch_order(self._data.token_ids.lengths, self.settings, seed, 1).to(self.device)
        while True:
            yield from order.split(self.settings.batch_size)

    def _wait(self) -> None:
        """Let a GPU finish what was handed to it."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
