"""What a study tunes: one search space of equal size for every row, and one number of trials.

The space is named once for all rows. A dimension that a row cannot use (a rate of the backbone
where BERT is frozen) is replaced for that row by one of its own, one for one, so that no row
searches in more dimensions than another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amb.errors import InputError

Scalar = str | int | float | bool
# A draw from a range is a real number; what must be whole is given as choices.
WHOLE_NUMBERS = ("batch_size", "plateau_patience")


@dataclass(frozen=True)
class Dimension:
    """One dimension of the search.

    Attributes:
        name: A key of the training recipe, ``group_learning_rates.<group>`` or
            ``options.<option>``.
        low: Lower bound of a range of real numbers; None where there are choices.
        high: Its upper bound.
        log: Whether the range is drawn from on a logarithmic scale.
        choices: The values to choose from; empty for a range.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Scalar, ...] = ()

    def ends(self) -> tuple[Scalar, ...]:
        """Return the values that show whether the dimension can be used: ends, or all choices."""
        if self.low is None or self.high is None:
            return self.choices
        return (self.low, self.high)


@dataclass(frozen=True)
class TuningSettings:
    """How rows are tuned.

    Attributes:
        trials: Trials of every row.
        seed: The training seed of all trials, none of the study's seeds; draws follow from it too.
        space: The dimensions that rows share.
        own: By row and shared dimension, the dimension that the row has instead.
        sampler: ``random``, independent draws; ``tpe``, Optuna's tree-structured Parzen estimator.
        apply: Whether rows train with the recipes that were found.
    """

    trials: int
    seed: int
    space: tuple[Dimension, ...]
    own: dict[str, dict[str, Dimension]]
    sampler: str = "random"
    apply: bool = False

    def space_of(self, method: str) -> tuple[Dimension, ...]:
        """Return the dimensions of one row, as many as every other row has."""
        own = self.own.get(method, {})
        return tuple(own.get(dimension.name, dimension) for dimension in self.space)

    def search_view(self, method: str) -> dict[str, Any]:
        """Return what one row's search depends on, beside the row; the number of trials is not."""
        space = [dataclasses.asdict(dimension) for dimension in self.space_of(method)]
        return {"seed": self.seed, "sampler": self.sampler, "space": space}


def read_tuning(
    file: Path, section: dict[str, Any], rows: Collection[str], seeds: Collection[int]
) -> TuningSettings:
    """Check and resolve the ``tuning`` section of a study.

    Args:
        file: The study, for messages.
        section: The section, which keeps to the schema.
        rows: The rows that are tuned.
        seeds: All seeds that the study's runs have.

    Returns:
        The settings.

    Raises:
        InputError: The seed is one of the study's, a range is empty or of whole numbers, a row is
            unknown, what it replaces is not in the space, or it has a dimension twice.
    """
    if section["seed"] in seeds:
        allowed = "a seed that no run of the study has"
        raise InputError(file, "tuning.seed", section["seed"], allowed)
    space = tuple(
        _dimension(file, f"tuning.space.{name}", name, content)
        for name, content in section["space"].items()
    )
    own: dict[str, dict[str, Dimension]] = {}
    for row, replaced in section.get("methods", {}).items():
        if row not in rows:
            raise InputError(file, "tuning.methods", row, f"one of {', '.join(rows)}")
        own[row] = {
            name: _dimension(file, f"tuning.methods.{row}.{name}", content["instead"], content)
            for name, content in replaced.items()
        }
    scalars = {key: section[key] for key in ("sampler", "apply") if key in section}
    settings = TuningSettings(section["trials"], section["seed"], space, own, **scalars)
    for row in own:
        _require_one_for_one(file, settings, row)
    return settings


def _dimension(file: Path, where: str, name: str, content: dict[str, Any]) -> Dimension:
    values = {key: value for key, value in content.items() if key != "instead"}
    if "choices" in values:
        return Dimension(name, choices=tuple(values["choices"]))
    dimension = Dimension(name, **values)
    low, high = values["low"], values["high"]
    if name in WHOLE_NUMBERS:
        raise InputError(file, where, f"{low} to {high}", f"choices: {name} is a whole number")
    if not low < high:
        raise InputError(file, where, f"{low} to {high}", "low below high")
    if dimension.log and low <= 0:
        raise InputError(file, f"{where}.low", low, "a number above 0 for a logarithmic range")
    return dimension


def _require_one_for_one(file: Path, settings: TuningSettings, row: str) -> None:
    shared = [dimension.name for dimension in settings.space]
    for replaced in settings.own[row]:
        if replaced not in shared:
            allowed = f"one of {', '.join(shared)}: a dimension of tuning.space"
            raise InputError(file, f"tuning.methods.{row}", replaced, allowed)
    names = [dimension.name for dimension in settings.space_of(row)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            file,
            f"tuning.methods.{row}",
            f"{twice[0]} twice",
            f"{len(shared)} different dimensions, as every row has",
        )
