"""Rows of a study of ours as contenders.

python -m benchmarks.contender_amb FOLDER ROW …

FOLDER is what ``benchmarks.mosi_like.prepare`` made. Steps are those of ``amb speed``.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch

from amb import provenance
from amb.timing.steps import TimedRow
from amb.training.job import Job
from amb.training.run import build_model
from benchmarks.contender import serve
from benchmarks.mosi_like import job_of

SEED = 1111


class Contender:
    """One row.

    Args:
        job: The row and its files.

    Attributes:
        row: Takes its steps.
        as_shipped: Its recipe's float32 precision.
        trainable: Its number of trainable parameters.
    """

    def __init__(self, job: Job) -> None:
        self.row = TimedRow(job, SEED)
        self.as_shipped = self.row.settings.matmul_precision
        self.trainable = build_model(job, SEED).count_parameters()["trainable"]

    def take_steps(self, steps: int) -> int:
        """Take steps; return the number of utterances shown."""
        # A timed row sets the precision of its recipe before each block; the one asked for stays.
        precision = torch.get_float32_matmul_precision()
        self.row.settings = replace(self.row.settings, matmul_precision=precision)
        return self.row.time_block(steps)[1]


def main() -> None:
    """Build the rows and serve."""
    folder, *names = sys.argv[1:]
    rows = {name: Contender(job_of(Path(folder), name)) for name in names}
    facts = {
        "source": provenance.commit(),
        "trainable": {name: row.trainable for name, row in rows.items()},
        "as_shipped": {name: row.as_shipped for name, row in rows.items()},
        "batch_size": {name: row.row.settings.batch_size for name, row in rows.items()},
    }
    serve({name: row.take_steps for name, row in rows.items()}, facts)


if __name__ == "__main__":
    main()
