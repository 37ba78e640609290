"""Feature sequences that stay in the store's mapped file and go to the device batch by batch.

Where the features of a data set do not fit beside the model, a batch's frames are collected on the
host and copied. While the device computes on one batch, a thread collects the next ones, in the
order that the training has announced; a batch that comes otherwise is collected when it is asked
for. Either way the values are those that the device would have collected itself, bit by bit.

Notation: B batch, T longest sequence of the batch, F features of a frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from amb.data.ragged_tensor import RaggedTensor

AHEAD = 2  # batches that are collected before they are asked for

Collected = tuple[Tensor, Tensor]  # values (B, T, F) and mask (B, T)


class Stream:
    """Collects sequences where they lie and hands them over where they are needed.

    Args:
        raw: The sequences.
        device: Where batches are needed.
        plan: Rows (B,) of the batches that will come, in order; none: each is collected when it is
            asked for.
        thread: Collects ahead; needed for a plan.
    """

    def __init__(
        self,
        raw: RaggedTensor,
        device: torch.device,
        plan: Iterable[Tensor] = (),
        thread: ThreadPoolExecutor | None = None,
    ) -> None:
        self._raw, self._device, self._thread = raw, device, thread
        self._plan = deque(plan)
        self._coming: deque[tuple[Tensor, Future[Collected]]] = deque()

    def planned(self, plan: Iterable[Tensor], thread: ThreadPoolExecutor) -> Stream:
        """Return a stream of the same sequences that collects the batches of ``plan`` ahead."""
        return Stream(self._raw, self._device, plan, thread)

    def pad(self, rows: Tensor) -> Collected:
        """Return the sequences of ``rows`` (B,) side by side, as ``RaggedTensor.pad`` does.

        Args:
            rows: The utterances, on the device.

        Returns:
            Values (B, T, F) and mask (B, T), on the device.
        """
        wanted = rows.to(self._raw.values.device)
        values, mask = self._next(wanted) or self._collect(wanted)
        return self._handed_over(values), self._handed_over(mask)

    def _next(self, wanted: Tensor) -> Collected | None:
        """Return the batch that was collected ahead, None if it is not the one that is wanted."""
        self._collect_ahead()
        if not self._coming:
            return None
        rows, collected = self._coming.popleft()
        if not torch.equal(rows, wanted):  # batches come in smaller parts after all, say
            self._plan.clear()
            self._coming.clear()
            return None
        self._collect_ahead()
        return collected.result()

    def _collect_ahead(self) -> None:
        while self._thread and self._plan and len(self._coming) < AHEAD:
            rows = self._plan.popleft().to(self._raw.values.device)
            self._coming.append((rows, self._thread.submit(self._collect, rows)))

    def _collect(self, rows: Tensor) -> Collected:
        """Collect a batch on the host, in memory that a GPU can read by itself."""
        values, mask = self._raw.pad(rows)
        if self._device.type == "cuda":
            return values.pin_memory(), mask.pin_memory()
        return values, mask

    def _handed_over(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._device, non_blocking=True)
