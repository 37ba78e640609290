"""A study's status for programs: JSON-able values, unrounded."""

from __future__ import annotations

import dataclasses
from typing import Any

from amb.status.runs import Run
from amb.status.study import StudyStatus


def status_report(status: StudyStatus) -> dict[str, Any]:
    """Return a status as JSON-able values.

    Args:
        status: Where a study stands.

    Returns:
        Counts by state, rows with their runs, failed steps and the training left.
    """
    return {
        "schema": 1,
        "study": status.name,
        "results": str(status.results),
        "finished": status.finished,
        "counts": {state.value: count for state, count in status.counts.items()},
        "rows": [
            {
                "method": row.method,
                "label": row.label,
                "best_valid_mae": row.best_valid_mae,
                "time_s": row.time_s,
                "runs": [_run(run) for run in row.runs],
            }
            for row in status.rows
        ],
        "time_left": dataclasses.asdict(status.time_left) if status.time_left else None,
        "failed": [
            {
                "rule": step.rule,
                "log": str(step.log),
                "failed_at": step.failed_at,
                **dataclasses.asdict(step.failure),
            }
            for step in status.failed
        ],
    }


def _run(run: Run) -> dict[str, Any]:
    values = {k: v for k, v in dataclasses.asdict(run).items() if k not in ("method", "process")}
    machine, pid = run.process or (None, None)
    return {**values, "state": run.state.value, "machine": machine, "pid": pid}
