"""What a search leaves behind: ``tuned/<row>.json``, and beside it the study with the recipe."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amb import provenance
from amb.files import write_json
from amb.study import Study
from amb.tuning.recipe import split_values, write_study_with
from amb.tuning.storage import Trial


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the lowest validation MAE, the earlier one of two that are equal."""
    return min(trials, key=lambda trial: (trial.outcome.valid_mae, trial.number))


def describe_search(
    study: Study, method: str, identity: str, trials: Sequence[Trial]
) -> dict[str, Any]:
    """Return a search as JSON-able values.

    Args:
        study: The study; it tunes.
        method: The row.
        identity: What makes the search this search.
        trials: Its finished trials, in their order.

    Returns:
        The search space, the best recipe, every trial with its values and validation MAE (None
        where training diverged), and the budget: trials, utterance-epochs, wall time.
    """
    assert study.tuning is not None
    best = best_trial(trials)
    training, options = split_values(best.values)
    return {
        "schema": 1,
        "study": study.name,
        "method": method,
        "rows": study.rows_alike(method),
        "identity_sha256": identity,
        **study.tuning.search_view(method),
        "best": {
            "trial": best.number,
            "valid_mae": best.outcome.valid_mae,
            "training": training,
            "options": options,
        },
        "trials": [_describe(trial) for trial in trials],
        "budget": {
            "trials": len(trials),
            "utterance_epochs": sum(trial.outcome.utterance_epochs for trial in trials),
            "wall_time_s": sum(trial.outcome.wall_time_s for trial in trials),
        },
        "versions": {**provenance.versions(), "optuna": importlib.metadata.version("optuna")},
    }


def write_result(
    out: Path, study_file: Path, method: str, description: dict[str, Any], trials: Sequence[Trial]
) -> None:
    """Write a search and, beside it as .yaml, the study with the best recipe.

    Args:
        out: The JSON file.
        study_file: The study.
        method: The row.
        description: What ``describe_search`` returned.
        trials: The finished trials.
    """
    write_study_with(
        out.with_suffix(".yaml"),
        study_file,
        method,
        best_trial(trials).values,
        f"The study with the tuned recipe of row {method}; made by amb tune, see {out.name}.",
    )
    write_json(out, description)


def _describe(trial: Trial) -> dict[str, Any]:
    described = dataclasses.asdict(trial.outcome)
    if math.isinf(trial.outcome.valid_mae):
        described["valid_mae"] = None
    return {"trial": trial.number, "values": trial.values, **described}
