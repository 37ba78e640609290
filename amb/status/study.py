"""A study while it runs: every run of every row, the steps that failed, the training left."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amb.errors import InputError
from amb.status.runs import Run, State, read_kept, read_run
from amb.status.steps import FailedStep, failed_steps
from amb.status.time_left import TimeLeft, estimate
from amb.study import KNOWN_BUILDERS, digest, load_study


@dataclass(frozen=True)
class Row:
    """A row of the study with its runs, one a seed."""

    method: str
    label: str
    trains_by_epochs: bool
    runs: tuple[Run, ...]

    @property
    def best_valid_mae(self) -> float | None:
        """The lowest validation MAE of any seed so far; no result, only a sign of how it goes."""
        found = [run.best_valid_mae for run in self.runs if run.best_valid_mae is not None]
        return min(found, default=None)

    @property
    def time_s(self) -> float:
        """What its runs have taken so far: trained ones, and those under way since their start."""
        return sum(_time_so_far(run) for run in self.runs)


@dataclass(frozen=True)
class StudyStatus:
    """Where a study stands.

    Attributes:
        name: Of the study.
        results: Its results folder.
        rows: Its rows, in table order.
        failed: Steps that failed when they were last tried, the latest first.
        time_left: Of training; None where nothing is left or nothing is known.
        counts: How many runs are in which state.
    """

    name: str
    results: Path
    rows: tuple[Row, ...]
    failed: tuple[FailedStep, ...]
    time_left: TimeLeft | None
    counts: dict[State, int]

    @property
    def finished(self) -> bool:
        """Whether every run is trained and predicted."""
        return self.counts[State.DONE] == sum(self.counts.values())


def resolve_study(study: str) -> tuple[dict[str, Any], str | None]:
    """Return a resolved study, and the name of its results folder's parent where it has one.

    Args:
        study: A name in ``config/``, the path of a YAML file, or a study's results folder.

    Returns:
        The study with all defaults, and the folder that its results folder lies in, None if that
        was not given.

    Raises:
        InputError: There is no such study.
    """
    from amb.files import read_json

    path = Path(study)
    if (path / "study.json").is_file():
        return read_json(path / "study.json"), str(path.resolve().parent)
    if path.is_dir():
        raise InputError(path, "study.json", "no such file", "a study's results folder")
    file = path if path.suffix in (".yaml", ".yml") else Path("config") / f"{study}.yaml"
    return load_study(file).resolved(), None


def read_status(resolved: dict[str, Any], results: Path) -> StudyStatus:
    """Read where a study stands.

    Args:
        resolved: The study with all defaults.
        results: Its results folder; one that is not there yet has all runs waiting.

    Returns:
        The status.
    """
    now = time.time()
    rows = tuple(_read_row(resolved, method, results, now) for method in resolved["methods"])
    counts = Counter(run.state for row in rows for run in row.runs)
    return StudyStatus(
        name=resolved["name"],
        results=results,
        rows=rows,
        failed=tuple(failed_steps(results)),
        time_left=estimate({row.method: row.runs for row in rows if row.trains_by_epochs}, now),
        counts={state: counts[state] for state in State},
    )


def _read_row(resolved: dict[str, Any], method: str, results: Path, now: float) -> Row:
    settings = resolved["methods"][method]
    config = _config_digest(resolved, method)
    folders = {seed: results / "runs" / method / f"seed{seed}" for seed in settings["seeds"]}
    kept = read_kept(folders)
    runs = tuple(
        read_run(folder, method, seed, config, kept.get(seed), now)
        for seed, folder in folders.items()
    )
    return Row(method, settings["label"], settings["builder"] not in KNOWN_BUILDERS, runs)


def _config_digest(resolved: dict[str, Any], method: str) -> str | None:
    """Return the digest of what a row's training depends on; None where a tuned recipe decides."""
    if (resolved.get("tuning") or {}).get("apply"):
        return None
    own = {k: v for k, v in resolved["methods"][method].items() if k not in ("label", "seeds")}
    view = {"data": resolved["data"], "backbone": resolved["backbone"], "method": own}
    return digest(view)


def _time_so_far(run: Run) -> float:
    if run.state is State.RUNNING:
        return (run.elapsed_s or 0.0) / run.packed
    return run.wall_time_s or 0.0
