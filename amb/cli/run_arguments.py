"""What the commands that build a model have in common."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amb.training.job import Job


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the inputs of everything that builds a model."""
    parser.add_argument("--study", type=Path, required=True, help="the study's YAML file")
    parser.add_argument("--store", type=Path, required=True, help="the store's folder")
    parser.add_argument("--backbone", type=Path, required=True, help="the prepared backbone")


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which runs are meant and where they lie."""
    add_input_arguments(parser)
    parser.add_argument("--method", required=True, help="row of the study")
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="seeds of the runs")
    parser.add_argument("--runs", type=Path, required=True, help="folder of run folders")
    parser.add_argument("--gpus", type=int, default=1, help="0: stay on the CPU (default 1)")
    parser.add_argument("--workers", type=int, default=1, help="processes on a CPU (default 1)")


def build_job(args: argparse.Namespace) -> Job:
    """Turn the arguments into a job, on the GPU if there is one and it is allowed.

    Args:
        args: What ``add_run_arguments`` declared.

    Returns:
        The job.

    Raises:
        ModuleNotFoundError: The training extra is not installed.
        InputError: The study has no such method, or a file of the store is damaged.
    """
    _require_torch()
    from amb.data.tables import check_file_hashes
    from amb.errors import InputError
    from amb.study import load_study
    from amb.training.job import Job

    methods = load_study(args.study).methods
    if args.method not in methods:
        raise InputError(args.study, "methods", args.method, f"one of {', '.join(methods)}")
    check_file_hashes(args.store)  # once a job; its workers trust it
    device = lease_device(args.gpus)
    return Job(args.study, args.store, args.backbone, args.method, args.runs, device)


def _require_torch() -> None:
    """Refuse where torch is missing before any file is looked at: workers alone import it."""
    if importlib.util.find_spec("torch") is None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")


def lease_device(gpus: int) -> str:
    """Choose where a process trains or measures; of the GPUs it takes one that no other has.

    Args:
        gpus: 0 to stay on the CPU.

    Returns:
        ``cuda`` or ``cpu``.
    """
    from amb.devices.lease import lease_for_process, release_of_process

    gpu = lease_for_process() if gpus > 0 else None
    device = choose_device(gpus)
    if device == "cpu":
        release_of_process()
    elif gpu is not None:
        print(f"on GPU {gpu.name}", flush=True)
    return device


def choose_device(gpus: int) -> str:
    """Return ``cuda`` if there is a GPU and it is allowed, else ``cpu``; ask for no lease."""
    if gpus == 0:
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    print("no GPU on this machine: running on the CPU")
    return "cpu"


def raise_first(failed: Mapping[int, BaseException]) -> None:
    """Raise the failure of the first seed that failed, with the names of all; else do nothing."""
    if failed:
        first = failed[min(failed)]
        first.add_note(f"failed seeds: {', '.join(map(str, sorted(failed)))}")
        raise first
