"""Packs: how many seeds of a method a GPU trains as one model, and all of them, pack by pack."""

from __future__ import annotations

from collections.abc import Sequence

from amb.training.job import Job
from amb.training.memory import estimate_memory, free_bytes
from amb.training.progress import RunProgress
from amb.training.run import build_model, open_context, run_pack, say


def seeds_that_fit(job: Job, seeds: Sequence[int]) -> int:
    """Return how many seeds to train as one model: what a GPU's free memory holds; 1 on a CPU.

    Args:
        job: The method and its files.
        seeds: Seeds of the runs; no more than these are asked for.

    Returns:
        K, at least 1.
    """
    if job.device == "cpu" or len(seeds) == 1:
        return 1
    context = open_context(job)
    model = build_model(job, seeds[0])
    if not model.trains_by_gradient or not model.loss_is_mean_over_utterances:
        return 1
    batch_size = context.study.methods[job.method].training.batch_size
    estimate = estimate_memory(model, context.splits["train"], batch_size)
    free = free_bytes(context.device)
    assert free is not None, "a GPU says what it has"
    fits = min(estimate.seeds_that_fit(free), len(seeds))
    trained, kept = estimate.trained / 2**20, estimate.activations / 2**20
    say(
        f"{job.method}: {fits} seeds as one model; a seed takes {trained:.0f} MiB of weights and"
        f" moments and {kept:.0f} MiB of activations, {free / 2**20:.0f} MiB are free"
    )
    return fits


def run_packs(
    job: Job, seeds: Sequence[int], size: int, progress: RunProgress
) -> dict[int, BaseException]:
    """Train all seeds in this process, ``size`` at a time as one model.

    Args:
        job: The method and its files.
        seeds: Seeds of the runs.
        size: Seeds of a pack at most.
        progress: Told of every epoch and every end.

    Returns:
        The seeds that failed, with their errors; a pack fails as a whole.
    """
    failed: dict[int, BaseException] = {}
    for start in range(0, len(seeds), size):
        pack = seeds[start : start + size]
        try:
            ends = run_pack(job, pack, progress.epoch)
        except Exception as error:
            failed |= dict.fromkeys(pack, error)
            ends = dict.fromkeys(pack, f"failed: {error}")
        for seed, end in ends.items():
            progress.end(seed, end)
    return failed
