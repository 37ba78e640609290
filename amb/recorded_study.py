"""The study as it was resolved when its results were made: ``study.json`` beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amb.errors import InputError
from amb.files import read_json
from amb.study import (
    BackboneSettings,
    CorruptionEntry,
    CorruptionSettings,
    MethodSettings,
    StatisticsSettings,
    Study,
    TrainingSettings,
)


def read_recorded_study(file: Path) -> Study:
    """Read what ``amb study`` wrote.

    Args:
        file: ``study.json`` of a results folder.

    Returns:
        The study; how rows were tuned is left out, since nothing after training depends on it.

    Raises:
        InputError: The file is missing, is not JSON, or lacks a part of a study.
    """
    try:
        content = read_json(file)
        return Study(
            file=file,
            name=content["name"],
            description=content["description"],
            data=content["data"],
            backbone=BackboneSettings(**content["backbone"]),
            methods={name: _method(row) for name, row in content["methods"].items()},
            statistics=_statistics(content["statistics"]),
            corruption=_corruption(content.get("corruption")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(file, "content", repr(error), "the file that amb study writes") from error


def _method(row: dict[str, Any]) -> MethodSettings:
    seeds, training = tuple(row["seeds"]), TrainingSettings(**row["training"])
    return MethodSettings(**{**row, "seeds": seeds, "training": training})


def _statistics(section: dict[str, Any]) -> StatisticsSettings:
    return StatisticsSettings(**{**section, "metrics": tuple(section["metrics"])})


def _corruption(section: dict[str, Any] | None) -> CorruptionSettings | None:
    if section is None:
        return None
    grid = tuple(
        CorruptionEntry(line["kind"], tuple(line["targets"]), tuple(line["levels"]))
        for line in section["grid"]
    )
    return CorruptionSettings(section["draws"], grid)
