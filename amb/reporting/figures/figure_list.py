"""Which figures a study has; light, so that a plan of the study can ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from amb.family import grid_methods, layerwise_methods
from amb.study import Study


@dataclass(frozen=True)
class FigureKind:
    """A figure.

    Attributes:
        name: Name of its files, and of its caption in ``workflow/report``.
        title: What it is called in the report.
        belongs_to: Whether a study has it.
    """

    name: str
    title: str
    belongs_to: Callable[[Study], bool]


def _always(_: Study) -> bool:
    return True


def _compares(study: Study) -> bool:
    return len(study.compared().methods) > 1


FIGURES = (
    FigureKind("comparison", "Comparison", _always),
    FigureKind("claims", "Claims", _always),
    FigureKind("effects", "Effects", _compares),
    FigureKind("superiority", "P(A > B)", _compares),
    FigureKind("ablation", "Ablation", lambda study: len(grid_methods(study)) > 1),
    FigureKind("parameters", "Score against parameters", _compares),
    FigureKind("predictions", "Predictions against labels", _always),
    FigureKind("fusion_norms", "Where fusion acts", lambda study: bool(layerwise_methods(study))),
    FigureKind("robustness", "Robustness", lambda study: study.corruption is not None),
    FigureKind("training_curves", "Training curves", _always),
    FigureKind(
        "expected_maximum",
        "Expected maximum",
        lambda study: study.tuning is not None and study.tuning.sampler == "random",
    ),
)


def figures_of(study: Study) -> list[FigureKind]:
    """Return the figures of a study, in the order in which they are read."""
    return [figure for figure in FIGURES if figure.belongs_to(study)]
