"""What a search of n trials is expected to find: the validation MAE of the best, by n."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from amb.evaluation.metrics import Floats
from amb.reporting.figures.style import BLUE, GREY, house_style, method_panels
from amb.statistics.expected_maximum import expected_best


def expected_maximum_figure(
    searches: Mapping[str, Sequence[float]], labels: Mapping[str, str]
) -> Figure:
    """Draw the expected validation MAE of the best of n trials, one panel a method.

    The other methods stand behind each in grey. A curve starts where even the worst n trials would
    hold one that did not diverge.

    Args:
        searches: Validation MAE of the trials of each method; infinite where training diverged.
        labels: The methods in table order, with their labels.

    Returns:
        The figure.
    """
    curves = {name: expected_best(searches[name], higher_is_better=False) for name in labels}
    with house_style():
        figure, panels = method_panels(labels, "Trials")
        for axes, method in zip(panels, labels, strict=True):
            others = [curve for name, curve in curves.items() if name != method]
            _draw(axes, curves[method], others)
        figure.supylabel("Expected best validation MAE\n(lower is better)", fontsize=7)
        _add_legend(figure)
    return figure


def _draw(
    axes: Axes,
    own: Floats,
    others: Sequence[Floats],
) -> None:
    for curve in others:
        axes.plot(np.arange(1, curve.size + 1), _drawable(curve), color=GREY, linewidth=0.6)
    trials = np.arange(1, own.size + 1)
    axes.plot(trials, _drawable(own), color=BLUE, linewidth=1.8, marker=".", markersize=4)
    axes.locator_params(axis="x", integer=True, nbins=5)
    axes.text(0.97, 0.95, f"best {own[-1]:.3f}", transform=axes.transAxes, ha="right", va="top",
              fontsize=6)  # fmt: skip


def _drawable(
    curve: Floats,
) -> Floats:
    return np.where(np.isfinite(curve), curve, np.nan)


def _add_legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=BLUE, linewidth=1.8, marker=".", markersize=4, label="this method"),
        Line2D([], [], color=GREY, linewidth=0.6, label="the others"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, handletextpad=0.5)
