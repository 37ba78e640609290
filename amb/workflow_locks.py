"""The lock that a killed Snakemake leaves, told from the lock of one that runs.

Snakemake's lock is a file that a killed process leaves, and the next run is refused until somebody
calls ``snakemake --unlock``. So every Snakemake of ours also takes a shared lock (flock) of a file
beside it, which the kernel gives back however the process ends. Whoever can have that lock for
itself alone knows that no other runs in the folder, and that Snakemake's lock is a leftover.
"""

from __future__ import annotations

import fcntl
import re
from pathlib import Path
from typing import IO

FILE = "amb_running.lock"
_SNAKEMAKE_LOCK = re.compile(r"\d+\.(input|output)\.lock")

_held: list[IO[bytes]] = []


def drop_stale_locks(folder: Path) -> bool:
    """Note that a workflow runs in this process, and remove the locks that dead ones left.

    The note lasts until this process ends. Where files cannot be locked, nothing is done.

    Args:
        folder: The folder ``.snakemake`` of the working directory.

    Returns:
        Whether locks of a killed run were removed.
    """
    try:
        folder.mkdir(exist_ok=True)
        handle = (folder / FILE).open("ab")
        _held.append(handle)
        alone = _is_alone(handle)
        stale = _snakemake_locks(folder / "locks") if alone else []
        for lock in stale:
            lock.unlink(missing_ok=True)
        fcntl.flock(handle, fcntl.LOCK_SH)
    except OSError:
        return False
    return bool(stale)


def _is_alone(handle: IO[bytes]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _snakemake_locks(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [file for file in folder.iterdir() if _SNAKEMAKE_LOCK.fullmatch(file.name)]
