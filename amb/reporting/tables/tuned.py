"""The searches for each row's recipe, as ``amb tune`` leaves them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from amb.errors import InputError
from amb.reporting.inputs import read_object


def read_searches(folder: Path, methods: Sequence[str]) -> dict[str, list[float]]:
    """Read the validation MAE of every trial.

    Args:
        folder: Folder of the searches, ``<method>.json`` inside.
        methods: The rows that were tuned.

    Returns:
        The trials' validation MAE by method, in their order; infinite where training diverged.

    Raises:
        InputError: A file is missing or holds something else.
    """
    return {method: _read_trials(folder / f"{method}.json") for method in methods}


def _read_trials(file: Path) -> list[float]:
    origin = "the file that amb tune writes"
    content = read_object(file, "trials", list, origin)
    try:
        values = [trial["valid_mae"] for trial in content["trials"]]
        found = [math.inf if value is None else float(value) for value in values]
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(file, "trials", str(error), f"trials as in {origin}") from error
    if not found:
        raise InputError(file, "trials", "no trial", f"at least one, as in {origin}")
    return found
