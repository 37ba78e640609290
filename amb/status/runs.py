"""How one run is doing, as its folder shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from amb.heartbeat import Progress, is_alive, read_progress

RECORD = "run.json"
PREDICTIONS = "predictions.parquet"
RESUME = "resume.safetensors"
LONGEST_HEADER = 100_000_000  # bytes; safetensors' own limit
NON_FINITE = "non-finite loss"


class State(StrEnum):
    """What can be said of a run, in the order in which people want to know."""

    DONE = "done"
    TRAINED = "trained"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    OUTDATED = "outdated"
    WAITING = "waiting"


@dataclass(frozen=True)
class Run:
    """One method under one seed.

    Attributes:
        method: Row of the study.
        seed: The seed.
        state: How it is doing.
        epoch: Epochs that are done; None where nobody knows.
        max_epochs: Epochs at most; None where it has not begun.
        kept_epoch: The epoch in which an interrupted run goes on; None: from the start.
        best_valid_mae: The lowest validation MAE so far; None before the first epoch.
        wall_time_s: What a trained run took, of a pack its share.
        trained_at: When a trained run ended, seconds since 1970; None where its record is older
            than this key.
        elapsed_s: For how long a running one has trained, since it was last started.
        epoch_s: What its last epoch took, of a pack the whole pack's.
        packed: Seeds that train as one model with it, itself included.
        process: Machine and process of a running one.
        note: What else a person should know; else empty.
    """

    method: str
    seed: int
    state: State
    epoch: int | None = None
    max_epochs: int | None = None
    kept_epoch: int | None = None
    best_valid_mae: float | None = None
    wall_time_s: float | None = None
    trained_at: float | None = None
    elapsed_s: float | None = None
    epoch_s: float | None = None
    packed: int = 1
    process: tuple[str, int] | None = None
    note: str = ""


@dataclass(frozen=True)
class Kept:
    """Where an interrupted training goes on: the epoch, and the best validation MAE until then."""

    epoch: int
    best_valid_mae: dict[int, float | None]


def read_run(
    folder: Path, method: str, seed: int, config_sha256: str | None, kept: Kept | None, now: float
) -> Run:
    """Return how a run is doing.

    Args:
        folder: Its run folder.
        method: Row of the study.
        seed: The seed.
        config_sha256: Digest of what its training depends on today; None: not known.
        kept: Where its training goes on; None if nothing was kept.
        now: Seconds since 1970.

    Returns:
        The run.
    """
    progress = read_progress(folder)
    if progress is not None and is_alive(progress, folder):
        return _running(progress, kept, now)
    record = _read_object(folder / RECORD)
    if record is not None:
        return _trained(folder, method, seed, record, config_sha256)
    if progress is not None and progress.error is not None:
        return Run(
            method,
            seed,
            State.FAILED,
            epoch=progress.epoch,
            max_epochs=progress.max_epochs,
            best_valid_mae=progress.best_valid_mae,
            note=progress.error,
        )
    if progress is not None or kept is not None:
        return _interrupted(method, seed, progress, kept)
    return Run(method, seed, State.WAITING)


def read_kept(folders: dict[int, Path]) -> dict[int, Kept]:
    """Return where interrupted trainings of a method go on, by seed.

    Args:
        folders: The run folder of each seed.

    Returns:
        Only the seeds whose state was kept; one file may hold several.
    """
    found: dict[int, Kept] = {}
    for folder in folders.values():
        header = read_resume_header(folder / RESUME)
        try:
            trainings = header["trainings"] if header else []
            best = {
                own["seed"]: own["best_mae"] if own["best_epoch"] else None for own in trainings
            }
            found |= {seed: Kept(header["position"]["epoch"], best) for seed in best if header}
        except (KeyError, TypeError):
            continue  # training refuses such a file by itself and starts anew
    return found


def read_resume_header(file: Path) -> dict[str, Any] | None:
    """Return what a kept training says of itself, without its tensors; None if it cannot be read.

    Args:
        file: A safetensors file: eight bytes with the length of the JSON that follows.

    Returns:
        The header that training wrote.
    """
    try:
        with file.open("rb") as handle:
            length = int.from_bytes(handle.read(8), "little")
            content = json.loads(handle.read(length)) if length < LONGEST_HEADER else {}
        header = json.loads(content["__metadata__"]["amb"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return header if isinstance(header, dict) else None


def _running(progress: Progress, kept: Kept | None, now: float) -> Run:
    before = kept.best_valid_mae.get(progress.seed) if kept else None
    known = [mae for mae in (before, progress.best_valid_mae) if mae is not None]
    resumed = kept.epoch - 1 if kept else 0
    return Run(
        progress.method,
        progress.seed,
        State.RUNNING,
        epoch=max(progress.epoch, 0) or resumed,
        max_epochs=progress.max_epochs,
        best_valid_mae=min(known, default=None),
        elapsed_s=max(0.0, now - progress.started),
        epoch_s=progress.epoch_s,
        packed=progress.packed,
        process=(progress.machine, progress.pid),
    )


def _trained(
    folder: Path, method: str, seed: int, record: dict[str, Any], config_sha256: str | None
) -> Run:
    predicted = (folder / PREDICTIONS).is_file()
    state, note = State.DONE if predicted else State.TRAINED, ""
    if config_sha256 is not None and record.get("config_sha256") != config_sha256:
        state, note = State.OUTDATED, "trained with other settings than the study has today"
    elif record.get("stopped") == NON_FINITE:
        note = f"{NON_FINITE}: best epoch {record.get('best_epoch')}"
    return Run(
        method,
        seed,
        state,
        epoch=record.get("epochs"),
        best_valid_mae=record.get("best_valid_mae"),
        wall_time_s=record.get("wall_time_s"),
        trained_at=record.get("trained_at"),
        packed=len(record.get("packed_seeds") or [seed]),
        note=note,
    )


def _interrupted(method: str, seed: int, progress: Progress | None, kept: Kept | None) -> Run:
    known = [progress.best_valid_mae if progress else None]
    known += [kept.best_valid_mae.get(seed) if kept else None]
    goes_on = f"goes on in epoch {kept.epoch}" if kept else "starts anew"
    return Run(
        method,
        seed,
        State.INTERRUPTED,
        epoch=progress.epoch if progress else None,
        max_epochs=progress.max_epochs if progress else None,
        kept_epoch=kept.epoch if kept else None,
        best_valid_mae=min((mae for mae in known if mae is not None), default=None),
        note=f"its process is gone; {goes_on}",
    )


def _read_object(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
