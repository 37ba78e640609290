"""Which cell of AMB's family a row of a study is, read off its builder and options.

The family is the grid {frozen, adapter, fine-tuned} × {text only, late, layer-wise} (T2), and, of
layer-wise fusion, where and how it acts (T3). Neither a row's name nor its label counts: two rows
stand in one table if they differ by what the table is about, and in no other way.

The options and their defaults are those of ``amb.model.amb.Options``, which cannot be imported
where there is no torch; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from amb.study import MethodSettings, Study

# What each builder of the family fixes.
FIXED: dict[str, dict[str, str]] = {
    "amb": {},
    "finetuned_text": {"bert": "finetuned", "fusion": "none"},
    "finetuned_late": {"bert": "finetuned", "fusion": "late"},
    "finetuned_fusion": {"bert": "finetuned"},
}
DEFAULTS: dict[str, Any] = {
    "bert": "adapter",
    "fusion": "word",
    "fusion_layers": "all",
    "fusion_bottleneck": 64,
    "joint_units": 128,
    "adapter": "pfeiffer",
    "adapter_bottleneck": None,
    "adapter_activation": "relu",
    "adapter_initial_std": 0.01,
    "adapter_dropout": 0.0,
    "audiovisual": "bilstm",
    "audiovisual_width": 100,
    "audiovisual_dropout": 0.2,
    "modalities": None,
    "head_dropout": 0.1,
}
BERT_MODES = {"frozen": "Frozen", "adapter": "Adapter", "finetuned": "Fine-tuned"}
PLACES = {"none": "text only", "late": "late", "layerwise": "layer-wise"}
OPERATORS = {
    "word": "word-wise",
    "attention": "cross-attention",
    "pooled": "pooled",
    "cls": "at [CLS]",
    "gated": "gated",
    "side": "side path",
}
LAST_LAYERS = (1, 3, 6)
WHERE, HOW, BOTH = "Where", "How", "Where and how"


@dataclass(frozen=True)
class FamilyRow:
    """A row of the family.

    Attributes:
        method: Name of the row.
        bert: One of ``BERT_MODES``.
        place: One of ``PLACES``: where modalities meet.
        operator: One of ``OPERATORS``; None but for layer-wise fusion.
        layers: ``all``, the number of last layers, or layers counted from 1; None likewise.
        others: The other options that act in this row.
    """

    method: str
    bert: str
    place: str
    operator: str | None
    layers: str | int | tuple[int, ...] | None
    others: Mapping[str, Any]

    def differs_only_in(self, other: FamilyRow, *aspects: str) -> bool:
        """Whether two rows agree in all aspects but those named, as far as both have them."""
        shared = self.others.keys() & other.others.keys()
        if any(self.others[name] != other.others[name] for name in shared):
            return False
        for aspect in {"bert", "place", "operator", "layers"} - set(aspects):
            mine, theirs = getattr(self, aspect), getattr(other, aspect)
            if mine is not None and theirs is not None and mine != theirs:
                return False
        return True


@dataclass(frozen=True)
class Cell:
    """One cell of an ablation.

    Attributes:
        group: What is varied, or the first of two things that are.
        value: The second, or what the first is set to.
        method: The row of the study in this cell; None where it has none.
    """

    group: str
    value: str
    method: str | None


def family_row(row: MethodSettings, bert_layers: int | None = None) -> FamilyRow | None:
    """Read a row's place in the family off its options.

    Args:
        row: The row.
        bert_layers: How many layers BERT has, if the study says so.

    Returns:
        The place; None for a row that is not of the family.
    """
    if row.builder not in FIXED:
        return None
    options = {**DEFAULTS, **row.options, **FIXED[row.builder]}
    place = options["fusion"] if options["fusion"] in ("none", "late") else "layerwise"
    layerwise = place == "layerwise"
    return FamilyRow(
        method=row.name,
        bert=options["bert"],
        place=place,
        operator=options["fusion"] if layerwise else None,
        layers=_layers(options["fusion_layers"], bert_layers) if layerwise else None,
        others={name: value for name, value in options.items() if _acts(name, options, place)},
    )


def full_model(study: Study) -> FamilyRow | None:
    """Return the row that ablations are of: adapters and layer-wise fusion, else the latter.

    Args:
        study: The study.

    Returns:
        The first such row of the table, None without one.
    """
    rows = [row for row in _rows(study) if row.place == "layerwise"]
    return next((row for row in rows if row.bert == "adapter"), rows[0] if rows else None)


def tuning_by_fusion(study: Study) -> list[Cell]:
    """Return the cells of T2: what BERT does by where modalities meet.

    Args:
        study: The study.

    Returns:
        All nine cells, in order, one twice where several rows of the study stand in it; nothing
        where the study has a row in fewer than two.
    """
    cells = []
    grid = _grid(study)
    for (bert, place), own in grid.items():
        cells += _cells(BERT_MODES[bert], PLACES[place], own)
    return cells if sum(map(bool, grid.values())) > 1 else []


def grid_methods(study: Study) -> dict[tuple[str, str], str]:
    """Return the row that stands in each cell of T2.

    Args:
        study: The study.

    Returns:
        (one of ``BERT_MODES``, one of ``PLACES``) to the first such row of the table, in the order
        of the grid; cells without a row are left out.
    """
    return {cell: own[0].method for cell, own in _grid(study).items() if own}


def layerwise_methods(study: Study) -> list[str]:
    """Return the rows with layer-wise fusion, in table order: those that have fusion layers."""
    return [row.method for row in _rows(study) if row.place == "layerwise"]


def where_and_how(study: Study) -> list[Cell]:
    """Return the cells of T3: where fusion acts, and how.

    Args:
        study: The study.

    Returns:
        The layers that fusion follows with the full model's operator, its operators at the full
        model's layers, and rows that differ in both; nothing where the study varies neither.
    """
    full = full_model(study)
    if full is None:
        return []
    aspects = ("place", "operator", "layers")
    alike = [row for row in _rows(study) if row.differs_only_in(full, *aspects)]
    rows = [row for row in alike if row.place == "layerwise"]
    if not any((row.operator, row.layers) != (full.operator, full.layers) for row in rows):
        return []
    by_layers = [row for row in rows if row.operator == full.operator]
    by_operator = [row for row in rows if row.layers == full.layers]
    cells = _cells(WHERE, "none", [row for row in alike if row.place == "none"])
    planned: list[Any] = [k for k in LAST_LAYERS if k < (study.backbone.layers or k + 1)]
    found = [row.layers for row in by_layers if row.layers not in (*planned, "all")]
    for layers in [*planned, *dict.fromkeys(found), "all"]:
        own = [row for row in by_layers if row.layers == layers]
        cells += _cells(WHERE, layers_text(layers), own)
    for operator, name in OPERATORS.items():
        cells += _cells(HOW, name, [row for row in by_operator if row.operator == operator])
    for row in rows:
        if row not in by_layers and row not in by_operator:
            name = f"{OPERATORS[str(row.operator)]}, {layers_text(row.layers)}"
            cells.append(Cell(BOTH, name, row.method))
    return cells


def layers_text(layers: Any) -> str:
    """Return the layers that fusion follows in words: "last 3 layers"."""
    if layers == "all":
        return "all layers"
    if isinstance(layers, int):
        return "last layer" if layers == 1 else f"last {layers} layers"
    return f"layers {', '.join(map(str, layers))}"


def _cells(group: str, value: str, rows: list[FamilyRow]) -> list[Cell]:
    """Return a cell for each row, or one that no row fills."""
    return [Cell(group, value, row.method) for row in rows] or [Cell(group, value, None)]


def _grid(study: Study) -> dict[tuple[str, str], list[FamilyRow]]:
    """Return the rows of each cell of T2: those that differ from the full model in nothing else."""
    full = full_model(study)
    rows = [row for row in _rows(study) if full and row.differs_only_in(full, "bert", "place")]
    return {
        cell: [row for row in rows if (row.bert, row.place) == cell]
        for cell in product(BERT_MODES, PLACES)
    }


def _rows(study: Study) -> list[FamilyRow]:
    """Return the compared rows of the family, in table order."""
    rows = study.compared().methods.values()
    found = [family_row(row, study.backbone.layers) for row in rows]
    return [row for row in found if row is not None]


def _acts(name: str, options: Mapping[str, Any], place: str) -> bool:
    """Whether an option that has no aspect of its own changes anything in a row."""
    if name in ("bert", "fusion", "fusion_layers"):
        return False
    if name.startswith("adapter"):
        return bool(options["bert"] == "adapter")
    if name in ("audiovisual", "audiovisual_width", "audiovisual_dropout", "modalities"):
        return place != "none"
    return {"fusion_bottleneck": "layerwise", "joint_units": "late"}.get(name, place) == place


def _layers(wanted: Any, count: int | None) -> str | int | tuple[int, ...]:
    """Return the option ``fusion_layers`` with one form for the same layers."""
    if isinstance(wanted, list):
        ordered = tuple(sorted(wanted))
        last = count is not None and ordered == tuple(range(count - len(ordered) + 1, count + 1))
        if not last:
            return ordered
        wanted = len(ordered)
    return "all" if wanted == count else wanted
