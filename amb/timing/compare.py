"""Two rows timed against each other: every block, and the machine that it ran on."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from amb import provenance
from amb.timing.order import mirrored_order
from amb.timing.steps import TimedRow
from amb.training.job import Job
from amb.training.record import device_name


def compare_steps(a: Job, b: Job, seed: int, pairs: int, steps: int, warmup: int) -> dict[str, Any]:
    """Time the training steps of two rows in interleaved blocks.

    Args:
        a: The row that a claim is about.
        b: The row that it is compared with, on the same device with as many threads.
        seed: Seed of initial weights and of the order of utterances.
        pairs: Pairs of blocks.
        steps: Training steps in a block.
        warmup: Steps of each row before the first block; they are not reported.

    Returns:
        JSON-able values: what was timed on what, and every block in order.
    """
    rows = {"a": TimedRow(a, seed), "b": TimedRow(b, seed)}
    for row in rows.values():
        row.time_block(warmup)
    blocks = []
    for block in mirrored_order(pairs):
        seconds, utterances = rows[block.side].time_block(steps)
        timed = {"seconds": seconds, "utterances": utterances}
        blocks.append({**dataclasses.asdict(block), **timed})
    settings = {side: row.settings for side, row in rows.items()}
    device = rows["a"].device
    return {
        "schema": 1,
        "a": a.method,
        "b": b.method,
        "seed": seed,
        "steps": steps,
        "warmup_steps": warmup,
        "hardware": {"type": device.type, "name": device_name(device)},
        "threads": torch.get_num_threads(),
        "precision": {side: row.precision for side, row in rows.items()},
        "batch_size": {side: own.batch_size for side, own in settings.items()},
        "blocks": blocks,
        "versions": provenance.versions(),
        "source": provenance.commit(),
    }
