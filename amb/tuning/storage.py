"""The trials of one search, kept in a SQLite file by Optuna, so that a killed search goes on.

Every trial draws with a seed of its own, which depends on how many have finished: a search that was
killed makes the trials that it would have made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amb.errors import InputError
from amb.search_space import Dimension, Scalar

if TYPE_CHECKING:
    import optuna

LARGEST_SEED = 2**32


@dataclass(frozen=True)
class Outcome:
    """What a trial came to.

    Attributes:
        valid_mae: Validation MAE of the best epoch; infinite where training diverged.
        epochs: Epochs that were trained.
        utterance_epochs: Utterances that were shown, each time counted.
        wall_time_s: How long it took.
    """

    valid_mae: float
    epochs: int
    utterance_epochs: int
    wall_time_s: float


@dataclass(frozen=True)
class Trial:
    """A finished trial: its place in the search, from 0, its values by name, and its outcome."""

    number: int
    values: dict[str, Scalar]
    outcome: Outcome


class TrialStorage:
    """One search in a storage file; a file holds many, told apart by their names.

    Args:
        file: The SQLite file; created if need be.
        name: What makes the search this search.
        space: Its dimensions.
        sampler: ``random`` or ``tpe``.
    """

    def __init__(self, file: Path, name: str, space: Sequence[Dimension], sampler: str) -> None:
        self._optuna = import_optuna()
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._sampler = sampler
        self._distributions = {dimension.name: self._distribution(dimension) for dimension in space}
        self._study = self._optuna.create_study(
            storage=f"sqlite:///{file.resolve()}",
            study_name=name,
            direction="minimize",
            load_if_exists=True,
        )

    def finished(self) -> list[Trial]:
        """Return the finished trials in their order."""
        done = self._study.get_trials(
            deepcopy=False, states=[self._optuna.trial.TrialState.COMPLETE]
        )
        return [
            Trial(number, dict(one.params), Outcome(float(one.value), **one.user_attrs))
            for number, one in enumerate(sorted(done, key=lambda one: one.number))
        ]

    def drop_interrupted(self) -> None:
        """Mark the trials that a killed process left running; they count for nothing."""
        states = self._optuna.trial.TrialState
        for one in self._study.get_trials(deepcopy=False, states=[states.RUNNING]):
            self._study.tell(one.number, state=states.FAIL)

    def ask(self, seed: int) -> optuna.Trial:
        """Draw the values of a new trial with a seed of its own."""
        samplers = self._optuna.samplers
        kind = {"random": samplers.RandomSampler, "tpe": samplers.TPESampler}[self._sampler]
        self._study.sampler = kind(seed=seed % LARGEST_SEED)
        return self._study.ask(fixed_distributions=self._distributions)

    def tell(self, trial: optuna.Trial, outcome: Outcome) -> None:
        """Finish a trial; with this it counts."""
        assert not math.isnan(outcome.valid_mae)
        for name in ("epochs", "utterance_epochs", "wall_time_s"):
            trial.set_user_attr(name, getattr(outcome, name))
        self._study.tell(trial, outcome.valid_mae)

    def _distribution(self, dimension: Dimension) -> Any:
        distributions = self._optuna.distributions
        if dimension.choices:
            return distributions.CategoricalDistribution(dimension.choices)
        return distributions.FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def import_optuna() -> Any:
    """Import Optuna, which only tuning needs.

    Returns:
        The module.

    Raises:
        InputError: It is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        allowed = "pip install 'amb-suite[tune]', or the locked environment"
        raise InputError("environment", "optuna", "not installed", allowed) from error
    return optuna
