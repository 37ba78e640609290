"""How long training will still take: an estimate, with what it rests on.

A run that has not begun takes what the finished runs of its row took on average. Where none has
finished, it takes the epochs that the recipe allows at most, at the pace of a run under way; where
nothing of its row is known, what the other rows' runs take on average. Runs under way share the
work with those to come: the sum is divided by the processes that train now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from amb.status.runs import Run, State

_TO_TRAIN = (State.WAITING, State.INTERRUPTED, State.FAILED, State.OUTDATED)


@dataclass(frozen=True)
class TimeLeft:
    """An estimate of the training that is left.

    Attributes:
        seconds: Until the last run has trained, if as many train at once as now.
        processes: That train now; 1 where none does.
        from_finished: Runs taken to last as long as finished runs of their row.
        at_most: Runs taken to use all epochs that the recipe allows.
        from_others: Runs taken to last as long as runs of other rows.
    """

    seconds: float
    processes: int
    from_finished: int
    at_most: int
    from_others: int


def estimate(rows: Mapping[str, Sequence[Run]]) -> TimeLeft | None:
    """Estimate the training that is left.

    Args:
        rows: The runs of every row that trains by epochs; others take no time to speak of.

    Returns:
        The estimate; None where nothing is left, or nothing is known to base one on.
    """
    totals: dict[str, tuple[float, bool]] = {}
    for method, runs in rows.items():
        if known := _seconds_of_run(runs):
            totals[method] = known
    if not totals:
        return None
    seen = [seconds for seconds, finished in totals.values() if finished]
    other = fmean(seen or [seconds for seconds, _ in totals.values()])
    left, longest = 0.0, 0.0
    counts = {"from_finished": 0, "at_most": 0, "from_others": 0}
    for method, runs in rows.items():
        total, finished = totals.get(method, (other, False))
        kind = "from_finished" if finished else "at_most" if method in totals else "from_others"
        for run in runs:
            if run.state is not State.RUNNING and run.state not in _TO_TRAIN:
                continue
            counts[kind] += 1
            seconds = _left(run, total, finished)
            left += seconds
            if run.state is State.RUNNING:
                longest = max(longest, seconds * run.packed)
    if not any(counts.values()):
        return None
    processes = max(1, len({run.process for runs in rows.values() for run in runs if run.process}))
    return TimeLeft(max(left / processes, longest), processes, **counts)


def _seconds_of_run(runs: Sequence[Run]) -> tuple[float, bool] | None:
    """Return what a run of a row takes, and whether that was seen of finished ones."""
    finished = [run.wall_time_s for run in runs if run.wall_time_s is not None]
    if finished:
        return fmean(finished), True
    paces = [
        run.max_epochs * run.epoch_s / run.packed
        for run in runs
        if run.state is State.RUNNING and run.max_epochs and run.epoch_s
    ]
    return (fmean(paces), False) if paces else None


def _left(run: Run, total: float, finished: bool) -> float:
    """Return what a run will still take; of a pack, its share."""
    if run.state is not State.RUNNING:
        return total
    pace = (run.epoch_s or 0.0) / run.packed
    if not finished and run.max_epochs:
        return max(0.0, (run.max_epochs - (run.epoch or 0)) * pace)
    # A run that has outlasted the others takes at least another epoch.
    return max(total - (run.elapsed_s or 0.0) / run.packed, pace)
