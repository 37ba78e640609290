"""Signs of life of a training, for ``amb status``: which epoch, since when, in which process.

``progress.json`` lies in a run's folder while the run trains and goes when its record is there. It
is no output and nothing computes with it, so that writing it may fail without failing the run. One
that ended by an error leaves it with the error; one whose process was killed leaves it as it was,
and whoever reads it sees that the process is gone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from amb.files import write_json

FILE = "progress.json"
TOUCH_S = 30.0  # between two signs, however long an epoch takes
SILENCE_S = 300.0  # after so long without one, a process of another machine counts as gone


@dataclass(frozen=True)
class Progress:
    """What a training last said of itself.

    Attributes:
        method: Row of the study.
        seed: The run's seed.
        machine: Where its process runs; a process number means something there only.
        pid: The process.
        born: When the process started, in the kernel's ticks; None where that cannot be told.
        started: When this training began, seconds since 1970.
        updated: When this was written, seconds since 1970.
        packed: Seeds that train as one model with it, itself included.
        max_epochs: Epochs at most.
        first_epoch: The first epoch that this process trained: later than 1 after an interruption.
        epoch: Epochs that are done.
        epoch_s: What the last one took; None before it.
        best_epoch: The best of those that this process trained; 0 before the first.
        best_valid_mae: Its validation MAE; None before the first.
        error: How it failed, in a line; None while it has not.
    """

    method: str
    seed: int
    machine: str
    pid: int
    born: int | None
    started: float
    updated: float
    packed: int
    max_epochs: int
    first_epoch: int = 1
    epoch: int = 0
    epoch_s: float | None = None
    best_epoch: int = 0
    best_valid_mae: float | None = None
    error: str | None = None


class Heartbeat:
    """Writes the progress of seeds that train together; use as a context manager.

    Args:
        method: Row of the study.
        folders: The run folder of each seed.
        max_epochs: Epochs at most.
    """

    def __init__(self, method: str, folders: Mapping[int, Path], max_epochs: int) -> None:
        self._folders = dict(folders)
        now = time.time()
        self._progress = {
            seed: Progress(
                method=method,
                seed=seed,
                machine=machine(),
                pid=os.getpid(),
                born=birth_of(os.getpid()),
                started=now,
                updated=now,
                packed=len(folders),
                max_epochs=max_epochs,
            )
            for seed in folders
        }
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._touch, daemon=True)

    def __enter__(self) -> Heartbeat:
        for seed in self._folders:
            self._write(seed)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        if error is None:
            for folder in self._folders.values():
                forget(folder)
        elif isinstance(error, Exception):
            line = " ".join(f"{type(error).__name__}: {error}".split())
            for seed in self._folders:
                self._update(seed, error=line[:500])

    def epoch(self, seed: int, epoch: int, valid_mae: float, seconds: float) -> None:
        """Note a finished epoch of a seed; a validation MAE that is not finite is no best."""
        before = self._progress[seed]
        first = before.first_epoch if before.epoch else epoch
        best_epoch, best = before.best_epoch, before.best_valid_mae
        if valid_mae < (float("inf") if best is None else best):
            best_epoch, best = epoch, valid_mae
        self._update(
            seed,
            first_epoch=first,
            epoch=epoch,
            epoch_s=seconds,
            best_epoch=best_epoch,
            best_valid_mae=best,
        )

    def _update(self, seed: int, **changes: int | float | str | None) -> None:
        self._progress[seed] = dataclasses.replace(
            self._progress[seed],
            updated=time.time(),
            **changes,  # type: ignore[arg-type]
        )
        self._write(seed)

    def _write(self, seed: int) -> None:
        # Nobody's run is to fail because nobody can watch it: the disk is full, the folder is gone.
        with contextlib.suppress(OSError):
            write_json(
                self._folders[seed] / FILE, dataclasses.asdict(self._progress[seed]), durable=False
            )

    def _touch(self) -> None:
        while not self._ended.wait(TOUCH_S):
            for folder in self._folders.values():
                with contextlib.suppress(OSError):
                    os.utime(folder / FILE)


def forget(folder: Path) -> None:
    """Delete what a training has said of itself in a run's folder, if it can be deleted."""
    with contextlib.suppress(OSError):
        (folder / FILE).unlink(missing_ok=True)


def read_progress(folder: Path) -> Progress | None:
    """Return what a training last said of itself in a run's folder; None if nothing readable."""
    try:
        return Progress(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_alive(progress: Progress, folder: Path) -> bool:
    """Whether the process that wrote a progress still trains.

    Args:
        progress: Read from ``folder``.
        folder: The run's folder.

    Returns:
        On its own machine, whether the process exists and is no later one with the same number;
        seen from another, whether it has given a sign within ``SILENCE_S``.
    """
    if progress.error is not None:
        return False
    if progress.machine == machine():
        return process_lives(progress.pid, progress.born)
    try:
        return time.time() - (folder / FILE).stat().st_mtime < SILENCE_S
    except OSError:
        return False


def machine() -> str:
    """Return the name of this machine and, where there is one, of its space of process numbers."""
    try:
        space = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()} {space}"


def birth_of(pid: int) -> int | None:
    """Return when a process started, in the kernel's ticks since boot; None if nothing tells."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    # The name stands in parentheses and may hold anything; the start is the 22nd field.
    return int(text.rpartition(")")[2].split()[19])


def process_lives(pid: int, birth: int | None) -> bool:
    """Whether a process of this machine exists, and is no later one with the same number.

    Args:
        pid: Its number.
        birth: When it started, as ``birth_of`` says.

    Returns:
        Whether it runs; one that has ended and only waits for its parent does not.
    """
    return _exists(pid) and birth == birth_of(pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # someone else's
    return _is_no_zombie(pid)


def _is_no_zombie(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] not in ("Z", "X")
