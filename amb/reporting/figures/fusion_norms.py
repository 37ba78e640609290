"""Where fusion acts: how much each fusion layer adds to the states of BERT, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from amb.evaluation.predictions import run_folder
from amb.reporting.figures.style import house_style, method_panels, note_seeds, seed_counts, series
from amb.reporting.inputs import Layout, read_table

FUSION_NORMS = Layout(text=("part",), numbers=("layer", "added", "hidden", "ratio", "pieces"))
FILE = "fusion_norms.csv"
# The parts of ``amb.evaluation.fusion_norms``, in the order of drawing, with their names.
PARTS = {
    "whole": "all that is added",
    "text": "added without audio and visual",
    "audio": "what audio changes",
    "visual": "what visual changes",
}
STEP = 0.09  # between the parts, of the distance of two layers


def read_fusion_norms(runs: Path, seeds: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """Read what the fusion layers of all runs add.

    Args:
        runs: Folder of the runs, ``<method>/seed<seed>/fusion_norms.csv`` inside.
        seeds: The seeds of each method with fusion layers.

    Returns:
        One row a run, layer and part: method, seed, layer, part, added, hidden, ratio, pieces.
    """
    norms = [
        read_table(run_folder(runs, method, seed) / FILE, FUSION_NORMS).assign(
            method=method, seed=seed
        )
        for method, own_seeds in seeds.items()
        for seed in own_seeds
    ]
    frame = pd.concat(norms, ignore_index=True)
    return frame[["method", "seed", *FUSION_NORMS.numbers[:1], "part", *FUSION_NORMS.numbers[1:]]]


def fusion_norms_figure(norms: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw what fusion adds to a state, in % of the state's own norm, by layer.

    Args:
        norms: Frame of ``read_fusion_norms``.
        labels: The methods with fusion layers in table order, with their labels.

    Returns:
        The figure, one panel a method: every seed, and the mean of the seeds by part.
    """
    parts = [part for part in PARTS if part in set(norms["part"])]
    with house_style():
        figure, panels = method_panels(labels, "Layer of BERT", share_x=False)
        for axes, method in zip(panels, labels, strict=True):
            _draw_panel(axes, norms[norms["method"] == method], parts)
        panels[0].set_ylim(bottom=0)
        figure.supylabel("Norm of what is added,\n% of the state's norm", fontsize=7)
        note = note_seeds(panels, seed_counts(norms, labels))
        _add_legend(figure, parts, note, norms["pieces"].max())
    return figure


def _draw_panel(axes: Axes, own: pd.DataFrame, parts: Sequence[str]) -> None:
    for index, part in enumerate(parts):
        color, marker, line = series(index)
        rows = own[own["part"] == part]
        shift = (index - (len(parts) - 1) / 2) * STEP
        axes.scatter(
            rows["layer"] + shift, 100 * rows["ratio"], s=5, facecolors="none", edgecolors=color,
            linewidths=0.5, alpha=0.7, zorder=2, gid="seeds",
        )  # fmt: skip
        mean = 100 * rows.groupby("layer")["ratio"].mean()
        axes.plot(
            mean.index + shift, mean.to_numpy(), color=color, marker=marker, linestyle=line,
            linewidth=1.1, markersize=3.6, markerfacecolor="white", markeredgewidth=0.9, zorder=3,
            gid=part,
        )  # fmt: skip
    layers = np.unique(own["layer"].to_numpy(int))
    axes.set_xticks(layers, [str(layer) for layer in layers])
    axes.set_xlim(layers.min() - 0.5, layers.max() + 0.5)
    axes.grid(visible=False, axis="x")


def _add_legend(figure: Figure, parts: Sequence[str], seeds: str, pieces: float) -> None:
    handles = []
    for index, part in enumerate(parts):
        color, marker, line = series(index)
        handles.append(
            Line2D([], [], color=color, marker=marker, linestyle=line, linewidth=1.1,
                   markersize=3.6, markerfacecolor="white", label=PARTS[part])
        )  # fmt: skip
    title = (
        f"Means over seeds and {pieces:.0f} word-pieces of the validation split; "
        f"circles: seeds ({seeds})"
    )
    figure.legend(
        handles=handles, title=title, title_fontsize=7, loc="outside lower center",
        ncols=len(handles), handlelength=3.0, columnspacing=1.4, handletextpad=0.5,
    )  # fmt: skip
