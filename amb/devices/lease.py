"""A lease on one GPU: of the jobs of a machine that take one, no two hold the same GPU.

A workflow manager counts GPUs and names none. So every process that trains or measures takes the
lock (flock) of a file that is called like its GPU, in a folder of the user's outside the results.
The kernel frees the lock when the process ends, however it ends.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from amb.devices.visible import Gpu, usable_gpus
from amb.errors import InputError

FOLDER_VARIABLE = "AMB_GPU_LEASES"
POLL_S = 0.5

_held: list[Lease] = []


class Lease:
    """One GPU, until ``release`` or the end of the process.

    Args:
        gpu: Which one.
        lock: Its lock, held.
    """

    def __init__(self, gpu: Gpu, lock: FileLock) -> None:
        self.gpu = gpu
        self._lock = lock

    def release(self) -> None:
        """Give the GPU back."""
        self._lock.release()


def lease_folder() -> Path:
    """Return the folder of the leases, which exists then.

    Returns:
        The folder that ``AMB_GPU_LEASES`` names, else one of the user's for temporary files, on the
        machine itself.

    Raises:
        InputError: Somebody else owns the latter.
    """
    if named := os.environ.get(FOLDER_VARIABLE):
        folder = Path(named)
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    folder = Path(tempfile.gettempdir()) / f"amb-gpu-leases-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.stat().st_uid
    if owner != os.getuid():
        hint = f"Name another folder in {FOLDER_VARIABLE}."
        raise InputError(folder, "owner", owner, f"user {os.getuid()}", hint)
    return folder


def take_lease(
    gpus: Sequence[Gpu],
    folder: Path,
    report: Callable[[str], None],
    poll_s: float = POLL_S,
) -> Lease:
    """Take the first of some GPUs that nobody holds, or wait until one is given back.

    Args:
        gpus: Those to choose from, at least one.
        folder: Folder of the locks.
        report: Told when it has to wait, and for how long it did.
        poll_s: Seconds between two looks.

    Returns:
        The lease.
    """
    start = time.monotonic()
    locks = [(gpu, FileLock(folder / f"{_file_name(gpu)}.lock")) for gpu in gpus]
    waits = False
    while (lease := _try_all(locks)) is None:
        if not waits:
            names = ", ".join(gpu.name for gpu in gpus)
            report(f"every GPU is leased ({names}; locks in {folder}): waiting for one")
        waits = True
        time.sleep(poll_s)
    if waits:
        report(f"waited {time.monotonic() - start:.0f} s for GPU {lease.gpu.name}")
    return lease


def lease_for_process() -> Gpu | None:
    """Lease a GPU until the process ends, and let CUDA see that one only.

    It must come before CUDA starts, which reads the variable once. A process that has a lease keeps
    it.

    Returns:
        The GPU; None where there is none.

    Raises:
        RuntimeError: CUDA has started without a lease.
    """
    if not _held:
        gpus = usable_gpus()
        if not gpus:
            return None
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            raise RuntimeError("CUDA has started in this process: it can take no lease any more")
        lease = take_lease(gpus, lease_folder(), partial(print, file=sys.stderr, flush=True))
        if lease.gpu.visible_as is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = lease.gpu.visible_as
        _held.append(lease)
    return _held[0].gpu


def release_of_process() -> None:
    """Give the process's lease back, if it has one: its GPU turned out to be of no use."""
    while _held:
        _held.pop().release()


def _try_all(locks: Sequence[tuple[Gpu, FileLock]]) -> Lease | None:
    """Take the first lock that is free, None if all are held."""
    for gpu, lock in locks:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return Lease(gpu, lock)
    return None


def _file_name(gpu: Gpu) -> str:
    """Return the GPU's name as a file name; those of slices may have slashes."""
    return re.sub(r"[^\w.-]", "_", gpu.name)
