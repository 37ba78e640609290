"""The GPUs that a process may choose from, found without starting CUDA.

``CUDA_VISIBLE_DEVICES`` has the first word, whether the user or Slurm set it; then Slurm's
``SLURM_STEP_GPUS`` or ``SLURM_JOB_GPUS``; then everything that ``nvidia-smi -L`` lists: whole GPUs,
or the slices (MIG) of a GPU that is cut into slices.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LIST_TIMEOUT_S = 120  # without its daemon, the driver wakes every GPU first
# Where a driver shows itself if there is no nvidia-smi: NVIDIA, WSL, NVIDIA on Jetson, AMD.
DRIVERS = ("/proc/driver/nvidia/version", "/dev/dxg", "/dev/nvhost-gpu", "/dev/kfd")

_WHOLE = re.compile(r"GPU (\d+): (.+) \(UUID: (\S+)\)")
_SLICE = re.compile(r"\s+MIG .+ \(UUID: (\S+)\)")


@dataclass(frozen=True)
class Gpu:
    """A GPU, or a slice of one.

    Attributes:
        visible_as: What ``CUDA_VISIBLE_DEVICES`` calls it; None to leave the variable alone.
        name: The same for all processes of the machine: its UUID where that is known.
    """

    visible_as: str | None
    name: str


@dataclass(frozen=True)
class ListedGpu:
    """One GPU of ``nvidia-smi -L``: its kind, its UUID, the UUIDs of its slices."""

    kind: str
    uuid: str
    slices: tuple[str, ...]

    @property
    def usable(self) -> tuple[str, ...]:
        """What a process can use of it: its slices, or all of it."""
        return self.slices or (self.uuid,)


def usable_gpus() -> list[Gpu]:
    """Return the GPUs that this process may use; none where torch was built without CUDA."""
    listing = nvidia_listing()
    driver = listing is not None or any(Path(place).exists() for place in DRIVERS)
    if not driver or "+cpu" in importlib.metadata.version("torch"):
        return []
    return visible_gpus(os.environ, listing)


def nvidia_listing() -> str | None:
    """Return what ``nvidia-smi -L`` prints, empty where it fails, None where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    done = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=LIST_TIMEOUT_S)
    return done.stdout if done.returncode == 0 else ""


def visible_gpus(environment: Mapping[str, str], listing: str | None) -> list[Gpu]:
    """Find the GPUs that a process may use.

    Args:
        environment: The process's environment variables.
        listing: Output of ``nvidia-smi -L``; None where there is no such program.

    Returns:
        Each GPU once, in the order in which they are named. On a machine whose GPUs nobody names,
        one that stands for all of them, if ``listing`` is None.
    """
    listed = parse_listing(listing or "")
    by_index = _uuids_by_index(environment, listed)
    named = environment.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        found = list(_named(named, by_index, listed))
    elif listing is None:
        found = [Gpu(None, "all")]
    else:
        found = list(_assigned(environment, by_index, listed))
    return list({gpu.name: gpu for gpu in found}.values())


def parse_listing(listing: str) -> list[ListedGpu]:
    """Parse what ``nvidia-smi -L`` prints: the GPUs by their index there."""
    found: list[ListedGpu] = []
    for line in listing.splitlines():
        if whole := _WHOLE.match(line):
            found.append(ListedGpu(whole[2], whole[3], ()))
        elif found and (part := _SLICE.match(line)):
            last = found[-1]
            found[-1] = ListedGpu(last.kind, last.uuid, (*last.slices, part[1]))
    return found


def _uuids_by_index(
    environment: Mapping[str, str], listed: Sequence[ListedGpu]
) -> list[str] | None:
    """Return the UUID behind each number that CUDA gives; None where that cannot be told.

    CUDA counts fast GPUs first unless it is told to count by place, as ``nvidia-smi`` does; where
    all are of one kind, both counts are the same. Of a GPU in slices, CUDA means the first slice.
    """
    by_place = environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    if not listed or not (by_place or len({gpu.kind for gpu in listed}) == 1):
        return None
    return [gpu.usable[0] for gpu in listed]


def _named(
    named: str, by_index: Sequence[str] | None, listed: Sequence[ListedGpu]
) -> Iterator[Gpu]:
    """Yield what ``CUDA_VISIBLE_DEVICES`` names; as in CUDA, what follows a wrong entry is lost."""
    for entry in (part.strip() for part in named.split(",")):
        if entry.isdecimal():
            index = int(entry)
            if by_index is not None and index >= len(by_index):
                return
            yield Gpu(entry, by_index[index] if by_index else f"index-{index}")
        elif entry.startswith(("GPU-", "MIG-")):
            yield Gpu(entry, _whole_uuid(entry, listed))
        else:  # empty, -1, NoDevFiles
            return


def _whole_uuid(entry: str, listed: Sequence[ListedGpu]) -> str:
    """Return the one listed UUID that starts with ``entry``, which CUDA lets a user shorten."""
    uuids = [uuid for gpu in listed for uuid in (gpu.uuid, *gpu.slices) if uuid.startswith(entry)]
    return uuids[0] if len(uuids) == 1 else entry


def _assigned(
    environment: Mapping[str, str], by_index: Sequence[str] | None, listed: Sequence[ListedGpu]
) -> Iterator[Gpu]:
    """Yield what Slurm assigned, else all that is listed.

    Slurm counts the GPUs of the machine. Where it hides the others from the job, no more are listed
    than it assigned, and all of them are the job's.
    """
    slurm = environment.get("SLURM_STEP_GPUS") or environment.get("SLURM_JOB_GPUS") or ""
    indices = [int(part) for part in slurm.split(",") if part.isdecimal()]
    if not indices or len(listed) <= len(indices):
        indices = list(range(len(listed)))
    for index in indices:
        if by_index is None:
            yield Gpu(str(index), f"index-{index}")
        elif index < len(listed):
            yield from (Gpu(uuid, uuid) for uuid in listed[index].usable)
