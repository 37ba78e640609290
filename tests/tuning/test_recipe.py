"""A study with other values in one row."""

from __future__ import annotations

import yaml

from amb.study import load_study
from amb.tuning.recipe import split_values, write_study_with

VALUES = {
    "learning_rate": 0.003,
    "batch_size": 6,
    "group_learning_rates.audio": 0.01,
    "options.head_dropout": 0.4,
}


def test_values_are_told_apart_by_their_names():
    training, options = split_values(VALUES)
    rates = {"audio": 0.01}
    assert training == {"learning_rate": 0.003, "batch_size": 6, "group_learning_rates": rates}
    assert options == {"head_dropout": 0.4}


def test_the_row_and_its_control_have_the_values_and_no_other_row_has(tuned_study, tmp_path):
    file = tuned_study({"amb": {"training": {"group_learning_rates": {"visual": 0.02}}}})
    before = load_study(file)
    target = tmp_path / "derived" / "study.yaml"
    write_study_with(target, file, "amb", VALUES, "Made for a test.")
    after = load_study(target)
    assert after.tuning is None
    row = after.methods["amb"]
    assert (row.training.learning_rate, row.training.batch_size) == (0.003, 6)
    assert row.training.group_learning_rates == {"visual": 0.02, "audio": 0.01}
    assert row.training.max_epochs == before.methods["amb"].training.max_epochs
    assert row.options == {"head_dropout": 0.4}
    for other in ("finetuned_fusion", "finetuned_text", "finetuned_late", "amb_shuffled"):
        assert after.training_view(other) == before.training_view(other), other
    text = target.read_text()
    assert text.startswith("# Made for a test.\n")


def test_a_control_goes_with_its_row(tuned_study, tmp_path):
    target = tmp_path / "derived.yaml"
    write_study_with(target, tuned_study(), "amb", VALUES, "Made for a test.")
    study = load_study(target)
    assert study.rows_alike("amb") == ["amb", "amb_shuffled"]
    assert study.methods["amb_shuffled"].training.learning_rate == 0.003
    assert "&id" not in target.read_text()


def test_a_preset_keeps_what_is_not_searched(tuned_study, tmp_path):
    file = tuned_study({"tfn": {}})
    target = tmp_path / "derived.yaml"
    write_study_with(target, file, "tfn", {"learning_rate": 0.5}, "Made for a test.")
    before, after = load_study(file).methods["tfn"], load_study(target).methods["tfn"]
    assert after.options == before.options
    assert after.training.learning_rate == 0.5
    assert yaml.safe_load(target.read_text())["methods"]["tfn"].keys() == {"training", "options"}
