"""Rows are placed in the family by their options, whatever they are called."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from amb.errors import InputError
from amb.family import (
    DEFAULTS,
    FIXED,
    full_model,
    grid_methods,
    layerwise_methods,
    tuning_by_fusion,
    where_and_how,
)
from amb.study import load_study

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def study(tmp_path):
    """A function that makes a study of the demo's data with other rows."""

    def make(methods, reference, layers=2):
        content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
        content["methods"] = methods
        content["statistics"]["reference"] = reference
        content["backbone"]["layers"] = layers
        if layers is None:
            del content["backbone"]["layers"]
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False))
        return load_study(file)

    return make


def filled(cells):
    return [(cell.group, cell.value, cell.method) for cell in cells if cell.method]


def test_defaults_are_those_of_the_model():
    from amb.model.amb import Options

    assert {field.name: field.default for field in dataclasses.fields(Options)} == DEFAULTS


@pytest.mark.parametrize("builder", [name for name in FIXED if name != "amb"])
def test_builders_fix_what_the_family_says(builder):
    from importlib import import_module

    build = import_module(f"baselines.{builder}").build
    for option, value in FIXED[builder].items():
        with pytest.raises(InputError, match=f"options.{option}.*only {value}"):
            build({option: value}, None, None)


def test_rows_are_chosen_by_options_and_not_by_names(study):
    rows = {
        "finetuned_text": {"builder": "amb", "options": {"bert": "frozen", "fusion": "none"}},
        "frozen_text": {"builder": "finetuned_text"},
        "anything": {"builder": "amb"},
        "narrow": {"builder": "amb", "options": {"fusion_bottleneck": 8}},
        "late": {"builder": "amb", "options": {"fusion": "late", "joint_units": 8}},
        "other_encoder": {"builder": "finetuned_late", "options": {"audiovisual": "mean"}},
    }
    cells = tuning_by_fusion(study(rows, "anything"))
    assert filled(cells) == [
        ("Frozen", "text only", "finetuned_text"),
        ("Adapter", "late", "late"),
        ("Adapter", "layer-wise", "anything"),
        ("Fine-tuned", "text only", "frozen_text"),
    ]
    assert len(cells) == 9


def test_controls_and_methods_of_the_field_stand_in_no_cell(study):
    rows = {
        "amb": {},
        "amb_shuffled": {"builder": "amb", "control": "shuffled_audio"},
        "finetuned_text": {},
        "mag_bert": {},
    }
    methods = {method for *_, method in filled(tuning_by_fusion(study(rows, "amb")))}
    assert methods == {"amb", "finetuned_text"}


def test_where_and_how_vary_one_thing_and_rows_that_vary_both_stand_apart(study):
    rows = {
        "amb": {},
        "adapter_text": {},
        "amb_last1": {},
        "all_of_them": {"builder": "amb", "options": {"fusion_layers": [2, 1], "fusion": "gated"}},
        "amb_pooled": {},
        "both": {"builder": "amb", "options": {"fusion_layers": [1], "fusion": "side"}},
        "finetuned_fusion": {},
    }
    cells = where_and_how(study(rows, "amb"))
    assert filled(cells) == [
        ("Where", "none", "adapter_text"),
        ("Where", "last layer", "amb_last1"),
        ("Where", "all layers", "amb"),
        ("How", "word-wise", "amb"),
        ("How", "pooled", "amb_pooled"),
        ("How", "gated", "all_of_them"),
        ("Where and how", "side path, layers 1", "both"),
    ]
    # Of two layers there are no last three; of unknown layers there may be.
    assert "last 3 layers" not in {cell.value for cell in cells}
    unknown = where_and_how(study(rows, "amb", layers=None))
    assert "last 3 layers" in {cell.value for cell in unknown if cell.method is None}


def test_a_study_without_such_rows_has_no_such_table(study):
    alone = study({"amb": {}, "tfn": {}}, "amb")
    assert tuning_by_fusion(alone) == where_and_how(alone) == []
    without = study({"tfn": {}, "finetuned_text": {}}, "tfn")
    assert full_model(without) is None
    assert tuning_by_fusion(without) == []


def test_the_shipped_studies_have_their_tables():
    whole = tuning_by_fusion(load_study(ROOT / "config" / "mosi_sdk.yaml"))
    assert len(filled(whole)) == 9
    assert where_and_how(load_study(ROOT / "config" / "mosi_sdk.yaml")) == []
    fusion = where_and_how(load_study(ROOT / "config" / "fusion.yaml"))
    assert all(cell.method for cell in fusion)


def test_the_grid_and_the_layer_wise_rows_leave_controls_out(study):
    rows = {
        "shuffled": {"builder": "amb", "label": "Shuffled", "control": "shuffled_audio"},
        "late": {"builder": "amb", "options": {"fusion": "late"}},
        "any": {"builder": "amb"},
        "again": {"builder": "amb", "label": "Again"},
    }
    own = study(rows, "any")
    assert grid_methods(own) == {("adapter", "late"): "late", ("adapter", "layerwise"): "any"}
    assert layerwise_methods(own) == ["any", "again"]
