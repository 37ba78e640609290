"""Training steps of one row, as the training loop takes them, without validation.

Departure: from the loop, a block goes through the training split in one fixed random order, the
same for both rows, and starts anew where the split ends; so both rows see the same utterances.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor

from amb.data.batches import Batch
from amb.errors import InputError
from amb.model.method import SentimentModel
from amb.study import TrainingSettings
from amb.training.loop import build_optimiser
from amb.training.run import Job, build_model, open_context
from amb.training.seeds import derive_seed, seeded
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
        self._model: SentimentModel = build_model(job, seed)
        if not self._model.trains_by_gradient:
            raise InputError("amb speed", job.method, "fitted in closed form", "a row with steps")
        train_seen_rows_only(self._model, self._data.token_ids.own_values())
        self._model.begin_training(self._data)
        self._model.begin_epoch(1)
        self._optimiser = build_optimiser(self._model, self.settings)
        self._seed = seed
        self._batches = self._endless_batches()

    def time_block(self, steps: int) -> tuple[float, int]:
        """Take training steps and time them.

        Args:
            steps: How many.

        Returns:
            Seconds, and the number of utterances that were shown.
        """
        torch.set_float32_matmul_precision(self.settings.matmul_precision)
        self._model.train()
        utterances = 0
        self._wait()
        start = time.perf_counter()
        with seeded("dropout", self._seed):
            for _ in range(steps):
                rows, batch = next(self._batches)
                self._step(batch)
                utterances += len(rows)
        self._wait()
        return time.perf_counter() - start, utterances

    def _step(self, batch: Batch) -> None:
        loss = self._model.loss(batch)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self.settings.gradient_clip > 0:
            trainable = [p for group in self._optimiser.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(trainable, self.settings.gradient_clip)
        self._optimiser.step()

    def _endless_batches(self) -> Iterator[tuple[Tensor, Batch]]:
        order = torch.Generator().manual_seed(derive_seed("order", self._seed))
        rows = torch.randperm(len(self._data), generator=order).to(self.device)
        while True:
            yield from self._data.batches(rows, self.settings.batch_size)

    def _wait(self) -> None:
        """Let a GPU finish what was handed to it."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
