"""How many parameters a method has and trains, from the records of its runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amb.errors import InputError
from amb.evaluation.predictions import run_folder
from amb.files import read_json
from amb.study import Study


@dataclass(frozen=True)
class ParameterCount:
    """Parameters of one method: all of them, and those that training changes."""

    total: int
    trainable: int


def read_parameter_counts(runs: Path, study: Study) -> dict[str, ParameterCount]:
    """Read the parameter counts of every method of a study.

    Args:
        runs: The folder ``results/<study>/runs``.
        study: The study.

    Returns:
        Method to its counts.

    Raises:
        InputError: A record is missing or unreadable, or two seeds of a method disagree.
    """
    counts: dict[str, ParameterCount] = {}
    for name, row in study.methods.items():
        for seed in row.seeds:
            file = run_folder(runs, name, seed) / "run.json"
            count = _read_count(file)
            if counts.setdefault(name, count) != count:
                raise InputError(
                    file, "parameters", count, f"{counts[name]}, as seed {row.seeds[0]} has"
                )
    return counts


def _read_count(file: Path) -> ParameterCount:
    if not file.is_file():
        raise InputError(file, "file", "no such file", "the record of this run")
    try:
        record: Any = read_json(file)
        count = ParameterCount(**{k: record["parameters"][k] for k in ("total", "trainable")})
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(file, "parameters", str(error), "total and trainable counts") from error
    if not all(type(n) is int for n in (count.total, count.trainable)):
        raise InputError(file, "parameters", count, "whole numbers")
    if not 0 < count.trainable <= count.total:
        raise InputError(file, "parameters", count, "0 < trainable ≤ total")
    return count
