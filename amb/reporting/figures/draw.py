"""All figures of a study, from the files of its results folder alone: no torch, no data.

A figure is its name, the files that it reads and a function of tidy frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from amb.errors import InputError
from amb.evaluation.reading import read_study_predictions
from amb.family import grid_methods, layerwise_methods
from amb.reporting.curves import read_curves
from amb.reporting.figures.ablation import ablation_figure
from amb.reporting.figures.claims import claims_figure
from amb.reporting.figures.comparison import comparison_figure
from amb.reporting.figures.effects import effects_figure, registered_effects
from amb.reporting.figures.expected_maximum import expected_maximum_figure
from amb.reporting.figures.figure_list import figures_of
from amb.reporting.figures.fusion_norms import fusion_norms_figure, read_fusion_norms
from amb.reporting.figures.parameters import parameters_figure, parameters_table
from amb.reporting.figures.predictions import predictions_figure
from amb.reporting.figures.robustness import robustness_figure
from amb.reporting.figures.style import save_figure
from amb.reporting.figures.superiority import superiority_figure, superiority_table
from amb.reporting.figures.training_curves import training_curves_figure
from amb.reporting.inputs import COMPARISON, SCORES, SUMMARY, Layout, read_object, read_table
from amb.reporting.tables.robustness import ROBUSTNESS, in_order
from amb.reporting.tables.tuned import read_searches
from amb.statistics.parameters import read_parameter_counts
from amb.study import Study

SUFFIXES = (".png", ".pdf")


@dataclass
class StudyResults:
    """What figures read of a results folder, each file once.

    Attributes:
        folder: The folder ``results/<study>``.
        study: The study without its control rows.
    """

    folder: Path
    study: Study

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Every seed's metrics."""
        return self._table("scores.csv", SCORES)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Means and intervals over seeds."""
        return self._table("summary.csv", SUMMARY)

    @cached_property
    def trainable(self) -> dict[str, int]:
        """Trainable parameters of every row."""
        counts = read_parameter_counts(self.runs, self.study)
        return {name: count.trainable for name, count in counts.items()}

    @property
    def comparison(self) -> pd.DataFrame:
        """Differences to the reference."""
        return self._table("comparison.csv", COMPARISON)

    @property
    def robustness(self) -> pd.DataFrame:
        """Scores on corrupted inputs, in the study's order."""
        file = self.folder / "robustness.csv"
        return in_order(read_table(file, ROBUSTNESS), self.study, file)

    @cached_property
    def claims(self) -> list[dict[str, Any]]:
        """The judged claims."""
        file = self.folder / "claims.json"
        found: list[dict[str, Any]] = read_object(file, "claims", list, "the tested claims")[
            "claims"
        ]
        return found

    @property
    def predictions(self) -> pd.DataFrame:
        """Predictions of the train and test splits."""
        return read_study_predictions(self.runs, self.study, splits=("train", "test"))

    @property
    def runs(self) -> Path:
        """Folder of the runs."""
        return self.folder / "runs"

    @property
    def labels(self) -> dict[str, str]:
        """The rows in table order, with their labels."""
        return {name: row.label for name, row in self.study.methods.items()}

    @property
    def seeds(self) -> dict[str, tuple[int, ...]]:
        """The seeds of every row."""
        return {name: row.seeds for name, row in self.study.methods.items()}

    def _table(self, name: str, layout: Layout) -> pd.DataFrame:
        return read_table(self.folder / name, layout)


def _comparison(results: StudyResults) -> Figure:
    chosen = results.study.statistics
    frames = results.scores, results.summary
    return comparison_figure(
        *frames, results.labels, chosen.metrics, chosen.reference, chosen.alpha
    )


def _claims(results: StudyResults) -> Figure:
    return claims_figure(results.claims, results.study.statistics.alpha)


def _effects(results: StudyResults) -> Figure:
    chosen = results.study.statistics
    registered = registered_effects(results.claims, results.summary, chosen.reference)
    return effects_figure(
        results.comparison, registered, results.labels, chosen.metrics, chosen.reference,
        chosen.alpha,
    )  # fmt: skip


def _superiority(results: StudyResults) -> Figure:
    chosen = results.study.statistics
    metric = chosen.metrics[0]
    table = superiority_table(results.scores, list(results.labels), metric, chosen.alpha)
    return superiority_figure(table, results.labels, metric, chosen.alpha)


def _ablation(results: StudyResults) -> Figure:
    chosen = results.study.statistics
    cells = grid_methods(results.study)
    frames = results.scores, results.summary
    return ablation_figure(*frames, cells, results.trainable, chosen.metrics, chosen.alpha)


def _parameters(results: StudyResults) -> Figure:
    chosen = results.study.statistics
    metric = chosen.metrics[0]
    table = parameters_table(results.summary, results.trainable, results.labels, metric)
    return parameters_figure(table, metric, chosen.reference, chosen.alpha)


def _predictions(results: StudyResults) -> Figure:
    return predictions_figure(results.predictions, results.labels)


def _fusion_norms(results: StudyResults) -> Figure:
    rows = layerwise_methods(results.study)
    norms = read_fusion_norms(results.runs, {row: results.seeds[row] for row in rows})
    return fusion_norms_figure(norms, {row: results.labels[row] for row in rows})


def _robustness(results: StudyResults) -> Figure:
    return robustness_figure(results.robustness, results.study.statistics.alpha)


def _training_curves(results: StudyResults) -> Figure:
    return training_curves_figure(read_curves(results.runs, results.seeds), results.labels)


def _expected_maximum(results: StudyResults) -> Figure:
    labels = {name: results.labels[name] for name in results.study.tuned_rows()}
    return expected_maximum_figure(read_searches(results.folder / "tuned", list(labels)), labels)


DRAW: dict[str, Callable[[StudyResults], Figure]] = {
    "comparison": _comparison,
    "claims": _claims,
    "effects": _effects,
    "superiority": _superiority,
    "ablation": _ablation,
    "parameters": _parameters,
    "predictions": _predictions,
    "fusion_norms": _fusion_norms,
    "robustness": _robustness,
    "training_curves": _training_curves,
    "expected_maximum": _expected_maximum,
}


def write_figures(
    folder: Path, results: Path, study: Study, names: Iterable[str] | None = None
) -> None:
    """Draw figures of a study, each as .png and .pdf.

    Args:
        folder: Where to; created if need be.
        results: The folder ``results/<study>``.
        study: The study, with its control rows or without.
        names: Which figures; all that the study has when left out.

    Raises:
        InputError: The study has no such figure, or a file that one reads is missing or wrong.
    """
    own = [figure.name for figure in figures_of(study)]
    wanted = own if names is None else list(names)
    for name in wanted:
        if name not in own:
            raise InputError(study.file, "figure", name, f"one of {', '.join(own)}")
    read = StudyResults(results, study.compared())
    for name in wanted:
        figure = DRAW[name](read)
        for suffix in SUFFIXES:
            save_figure(figure, folder / (name + suffix))
