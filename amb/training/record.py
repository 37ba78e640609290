"""The record of a run, ``run.json``: enough to say where every number came from."""

from __future__ import annotations

import dataclasses
import resource
import sys
from pathlib import Path
from typing import Any

import torch

from amb import provenance
from amb.training.seed_training import TrainingResult


def reset_peak_memory(device: torch.device) -> None:
    """Start measuring peak memory anew, where the platform allows it."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    except OSError:
        return


def peak_memory_bytes(device: torch.device) -> int:
    """Return peak memory since the last reset: the GPU's, else this process's resident set."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_name(device: torch.device) -> str:
    """Return the name of the hardware that a run used."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return provenance.processor()


def describe_result(result: TrainingResult) -> dict[str, Any]:
    """Return how training went: epochs, the best of them, and why it ended."""
    return {
        "best_epoch": result.best_epoch,
        "best_valid_mae": result.best_valid_mae if result.best_epoch else None,
        "epochs": len(result.curve),
        "stopped": result.stopped,
        "micro_batches": result.micro_batches,
    }


def describe_environment(device: torch.device) -> dict[str, Any]:
    """Return what a run ran on and with: hardware, peak memory, threads, versions, commit."""
    return {
        "device": {"type": device.type, "name": device_name(device)},
        "peak_memory_bytes": peak_memory_bytes(device),
        "threads": torch.get_num_threads(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "versions": provenance.versions(),
        "source": provenance.commit(),
    }


def curve_rows(result: TrainingResult) -> list[dict[str, Any]]:
    """Return the training curve as one dict an epoch."""
    return [dataclasses.asdict(epoch) for epoch in result.curve]
