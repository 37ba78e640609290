"""Cells of the ablation grid follow from options, and agree with what the builders build."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from amb.model.amb import Options
from amb.presets import load_presets
from amb.reporting.ablation_axes import (
    DEFAULT_OPERATOR,
    DEFAULT_TUNING,
    Cell,
    ablation_cell,
    ablation_rows,
    fusion_rows,
)
from amb.study import MethodSettings, TrainingSettings, load_study
from baselines import finetuned_fusion, finetuned_late, finetuned_text

DEMO = Path(__file__).parents[2] / "config" / "demo.yaml"
RECIPE = TrainingSettings(max_epochs=1)


def row(name: str, builder: str = "amb", **options: object) -> MethodSettings:
    return MethodSettings(name, name, builder, (1,), RECIPE, options)


def study_of(*rows: MethodSettings):
    study = load_study(DEMO)
    return dataclasses.replace(study, methods={own.name: own for own in rows})


@pytest.mark.parametrize(
    ("method", "cell"),
    [
        (row("amb"), Cell("adapter", "layer-wise")),
        (row("any_name", bert="frozen", fusion="none"), Cell("frozen", "text only")),
        (row("amb_gated", fusion="gated"), Cell("adapter", "layer-wise")),
        (row("r", builder="finetuned_text"), Cell("finetuned", "text only")),
        (row("r", builder="finetuned_late"), Cell("finetuned", "late")),
        (row("r", builder="finetuned_fusion"), Cell("finetuned", "layer-wise")),
        (row("r", builder="finetuned_fusion", fusion="late"), Cell("finetuned", "late")),
        (row("amb", builder="mult"), None),
    ],
)
def test_a_cell_follows_from_builder_and_options_and_not_from_the_name(method, cell):
    assert ablation_cell(method) == cell


def test_presets_of_the_grid_fill_all_nine_cells():
    presets = load_presets()
    cells = set()
    for name, preset in presets.items():
        cells.add(ablation_cell(row(name, preset.builder, **preset.options)))
    assert len(cells - {None}) == 9


def test_defaults_are_those_of_the_builders(monkeypatch):
    assert Options().bert == DEFAULT_TUNING
    assert Options().fusion == DEFAULT_OPERATOR
    for module in (finetuned_fusion, finetuned_late, finetuned_text):
        built = []
        monkeypatch.setattr(
            module, "build_family", lambda settings, *_, seen=built: seen.append(settings)
        )
        module.build({}, None, None)
        fusion = {"none": "text only", "late": "late"}.get(built[0].fusion, "layer-wise")
        assert ablation_cell(row("r", module.NAME)) == Cell(built[0].bert, fusion)


def test_the_plainest_row_stands_for_a_cell_in_any_order():
    variants = row("gated", fusion="gated"), row("last", fusion_layers=1), row("plain")
    for order in (variants, variants[::-1]):
        assert ablation_rows(study_of(*order)) == {Cell("adapter", "layer-wise"): "plain"}


def test_controls_are_in_no_cell_and_have_no_fusion_to_show():
    control = dataclasses.replace(row("shuffled"), control="shuffled_audio")
    study = study_of(control, row("late", fusion="late"), row("amb"))
    assert set(ablation_rows(study).values()) == {"late", "amb"}
    assert fusion_rows(study) == ["amb"]
