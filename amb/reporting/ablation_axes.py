"""Which rows are cells of the ablation grid: what BERT does, by where the modalities meet.

Cells follow from what a row's options are, whatever its name. Rows of other architectures are in no
cell: they differ from the grid's by more than its two axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amb.study import MethodSettings, Study

FROZEN, ADAPTER, FINETUNED = TUNINGS = ("frozen", "adapter", "finetuned")
TEXT_ONLY, LATE, LAYERWISE = FUSIONS = ("text only", "late", "layer-wise")

# What ``amb.model.amb.Options`` and the builders of the fine-tuned rows fill in; a test holds that.
DEFAULT_TUNING, DEFAULT_OPERATOR = "adapter", "word"
FAMILY: dict[str, dict[str, str]] = {
    "amb": {},
    "finetuned_text": {"bert": FINETUNED, "fusion": "none"},
    "finetuned_late": {"bert": FINETUNED, "fusion": "late"},
    "finetuned_fusion": {"bert": FINETUNED},
}


@dataclass(frozen=True)
class Cell:
    """A cell of the grid: one of ``TUNINGS`` by one of ``FUSIONS``."""

    tuning: str
    fusion: str


def ablation_cell(method: MethodSettings) -> Cell | None:
    """Return the cell that a row belongs to.

    Args:
        method: The row.

    Returns:
        Its cell; None for a row that is not of AMB's family.
    """
    if method.builder not in FAMILY:
        return None
    options = _axes(method)
    places = {"none": TEXT_ONLY, "late": LATE}
    return Cell(options["bert"], places.get(options["fusion"], LAYERWISE))


def ablation_rows(study: Study) -> dict[Cell, str]:
    """Return the rows that stand for the cells of a study's grid.

    Where several rows share a cell (variants of the place or the operator of fusion), the one with
    the fewest options of its own stands for it, the first of these in table order.

    Args:
        study: The study.

    Returns:
        Cell to row, by tuning, then by fusion; cells without a row are left out.
    """
    found: dict[Cell, list[MethodSettings]] = {}
    for row in study.compared().methods.values():
        cell = ablation_cell(row)
        if cell is not None:
            found.setdefault(cell, []).append(row)
    cells = [Cell(tuning, fusion) for tuning in TUNINGS for fusion in FUSIONS]
    return {cell: min(found[cell], key=_own_options).name for cell in cells if cell in found}


def fusion_rows(study: Study) -> list[str]:
    """Return the rows with layer-wise fusion, in table order: those that have fusion layers."""
    cells = {name: ablation_cell(row) for name, row in study.compared().methods.items()}
    return [name for name, cell in cells.items() if cell and cell.fusion == LAYERWISE]


def _axes(method: MethodSettings) -> Mapping[str, str]:
    defaults = {"bert": DEFAULT_TUNING, "fusion": DEFAULT_OPERATOR}
    chosen: dict[str, Any] = {**defaults, **method.options, **FAMILY[method.builder]}
    return {name: str(chosen[name]) for name in defaults}


def _own_options(method: MethodSettings) -> int:
    """Return how many options a row sets beside its place in the grid."""
    operator = _axes(method)["fusion"] not in ("none", "late", DEFAULT_OPERATOR)
    return len(method.options.keys() - {"bert", "fusion"}) + operator
