"""Times steps of a training row by the clock that suits its device."""

from __future__ import annotations

import os
import time

import torch

from amb.timing.steps import TimedRow
from amb.training.record import device_name


def step_seconds(row: TimedRow, steps: int) -> float:
    """Take steps and return the seconds of one.

    Args:
        row: Ready to train.
        steps: How many steps to take.

    Returns:
        CPU time of the process on a CPU, which others that use it do not lengthen; on a GPU wall
        time until it has finished.
    """
    start = time.process_time()
    wall_s, _ = row.time_block(steps)
    spent_s = time.process_time() - start if row.device.type == "cpu" else wall_s
    return spent_s / steps


def clock_and_device(device: str) -> str:
    """Return what ``step_seconds`` measured on which hardware, for the foot of a table."""
    clock = "CPU time, one thread" if device == "cpu" else "Wall time"
    return f"{clock}; {device_name(torch.device(device))}, load {os.getloadavg()[0]:.1f}."
