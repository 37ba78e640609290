"""All figures of a study, written as PNG and PDF."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from amb.reporting.comparison_figure import comparison_figure
from amb.reporting.figure_style import save_figure
from amb.reporting.training_curves_figure import training_curves_figure
from amb.study import Study


def write_figures(
    folder: Path, study: Study, scores: pd.DataFrame, summary: pd.DataFrame, curves: pd.DataFrame
) -> None:
    """Write ``comparison`` and ``training_curves``, each as .png and .pdf.

    Args:
        folder: Where to; created if need be.
        study: Labels, metrics, reference and alpha.
        scores: Every seed's metrics.
        summary: Means and intervals over seeds.
        curves: Training curves of all runs.
    """
    labels = {name: method.label for name, method in study.methods.items()}
    chosen = study.statistics
    figures = {
        "comparison": comparison_figure(
            scores, summary, labels, chosen.metrics, chosen.reference, chosen.alpha
        ),
        "training_curves": training_curves_figure(curves, labels),
    }
    for name, figure in figures.items():
        for suffix in (".png", ".pdf"):
            save_figure(figure, folder / (name + suffix))
