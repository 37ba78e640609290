"""Presets: rows of a study by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from amb import presets
from amb.cli import main
from amb.errors import InputError
from amb.model.method import find_builder
from amb.study import load_study

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def study_of(tmp_path):
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))

    def load(**methods):
        content["methods"] = {**methods, "finetuned_fusion": {}}
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump(content))
        return load_study(file).methods

    return load


@pytest.fixture
def own_presets(tmp_path, monkeypatch):
    """Let presets be read from a folder of the test's own."""
    folder = tmp_path / "presets"
    folder.mkdir()
    monkeypatch.setattr(presets, "presets_folder", lambda: folder)
    presets.load_presets.cache_clear()
    yield folder
    presets.load_presets.cache_clear()


def write(folder, name, **own):
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({"schema": 1, "presets": own}))
    return file


def test_a_row_starts_from_the_preset_of_its_name_or_the_one_it_names(study_of):
    rows = study_of(amb_gated={}, mine={"preset": "amb_gated", "label": "Mine"})
    assert rows["amb_gated"].builder == rows["mine"].builder == "amb"
    assert rows["amb_gated"].options == rows["mine"].options == {"fusion": "gated"}
    assert (rows["amb_gated"].label, rows["mine"].label) == ("AMB, gated fusion", "Mine")


def test_the_row_goes_before_its_preset_and_that_before_the_study(own_presets, study_of):
    training = {"batch_size": 48, "learning_rate": 0.002}
    write(
        own_presets,
        "a",
        theirs={
            "builder": "amb",
            "options": {"fusion": "cls", "adapter": "houlsby"},
            "training": training,
        },
    )
    row = study_of(theirs={"options": {"fusion": "word"}, "training": {"batch_size": 5}})["theirs"]
    assert row.options == {"fusion": "word", "adapter": "houlsby"}
    assert (row.training.batch_size, row.training.learning_rate) == (5, 0.002)
    assert row.training.patience == 3  # the study's


def test_a_row_that_names_a_builder_has_no_preset(study_of):
    row = study_of(amb_gated={"builder": "amb"})["amb_gated"]
    assert row.options == {}


def test_mistakes_are_named(own_presets, study_of):
    with pytest.raises(InputError, match=r"methods.x.preset: found 'nope', expected one of"):
        study_of(x={"preset": "nope"})
    write(own_presets, "a", theirs={"builder": "amb"})
    presets.load_presets.cache_clear()
    with pytest.raises(InputError, match=r"methods.x.builder: found 'late_fusion', expected amb"):
        study_of(x={"preset": "theirs", "builder": "late_fusion"})
    file = write(own_presets, "b", theirs={"builder": "amb"})
    presets.load_presets.cache_clear()
    with pytest.raises(InputError, match=rf"{file}: presets.theirs: .* no other file has"):
        study_of(x={})
    write(own_presets, "b", other={"builder": "amb", "training": {"learning_rte": 1}})
    presets.load_presets.cache_clear()
    with pytest.raises(InputError, match=r"training: found 'unknown key learning_rte'"):
        study_of(x={})


def test_every_shipped_preset_has_a_builder():
    for preset in presets.load_presets().values():
        assert find_builder(preset.builder)


def test_presets_are_listed_and_shown(capsys):
    assert main(["presets"]) == 0
    assert "amb_gated: AMB, gated fusion [reconstruction]" in capsys.readouterr().out
    assert main(["presets", "mag_bert_mosi"]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)["mag_bert_mosi"]
    assert shown["builder"] == "mag_bert"
    assert shown["training"]["backbone_learning_rate"] == 2e-5
    assert main(["presets", "mag_brt"]) == 2
    assert "found 'mag_brt', expected one of amb, frozen_text" in capsys.readouterr().err
