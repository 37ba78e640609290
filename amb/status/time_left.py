"""How long training will still take: an estimate, with what it rests on.

A run that has not begun takes what the finished runs of its row took on average. Where none has
finished, it takes the epochs that the recipe allows at most, at the pace of a run under way; where
nothing of its row is known, what the other rows' runs take on average. Runs under way share the
work with those to come: the sum is divided by the processes that train now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from amb.status.runs import Run, State

PACE_RUNS = 5  # at least, before a pace is believed
PACE_S = 3600.0  # the while that it is taken over
PAUSE_S = 300.0  # without any training is no part of it: nobody was at work
_TO_TRAIN = (State.WAITING, State.INTERRUPTED, State.FAILED, State.OUTDATED)


@dataclass(frozen=True)
class TimeLeft:
    """An estimate of the training that is left.

    Attributes:
        seconds: Until the last run has trained, if it goes on at this pace.
        at_once: The pace: seconds of training in a second, or the processes that train now.
        paced_by: Runs that the pace was seen of; 0: it is the number of processes, 1 where none
            trains.
        from_finished: Runs taken to last as long as finished runs of their row.
        at_most: Runs taken to use all epochs that the recipe allows.
        from_others: Runs taken to last as long as runs of other rows.
    """

    seconds: float
    at_once: float
    paced_by: int
    from_finished: int
    at_most: int
    from_others: int


def estimate(rows: Mapping[str, Sequence[Run]], now: float) -> TimeLeft | None:
    """Estimate the training that is left.

    Args:
        rows: The runs of every row that trains by epochs; others take no time to speak of.
        now: Seconds since 1970.

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
    everything = [run for runs in rows.values() for run in runs]
    processes = max(1, len({run.process for run in everything if run.process}))
    at_once, paced_by = _pace(everything, now) or (float(processes), 0)
    return TimeLeft(max(left / at_once, longest), at_once, paced_by, **counts)


def _pace(runs: Sequence[Run], now: float) -> tuple[float, int] | None:
    """Return the seconds of training in a second of the last while, and how many runs show it."""
    spans = sorted(_trained_spans(runs), reverse=True)  # the latest end first
    if not spans:
        return None
    running = [run.elapsed_s or 0.0 for run in runs if run.state is State.RUNNING]
    end = now if running else spans[0][0]
    begin = end - max(running, default=0.0)
    taken = []
    for ended, started, seconds in spans:
        if begin - ended > PAUSE_S or end - ended > PACE_S:
            break
        taken.append(seconds)
        begin = min(begin, started)
    if len(taken) < PACE_RUNS or begin >= end:
        return None
    under_way = sum(_share_done(run) for run in runs if run.state is State.RUNNING)
    return (sum(taken) + under_way) / (end - begin), len(taken)


def _trained_spans(runs: Sequence[Run]) -> Iterator[tuple[float, float, float]]:
    """Yield when each trained run ended and began, and what it took, of a pack its share."""
    for run in runs:
        if run.trained_at is not None and run.wall_time_s is not None:
            yield run.trained_at, run.trained_at - run.wall_time_s * run.packed, run.wall_time_s


def _share_done(run: Run) -> float:
    return (run.elapsed_s or 0.0) / run.packed


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
    return max(total - _share_done(run), pace)
