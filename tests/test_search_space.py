"""The section ``tuning`` of a study: one space of equal size for every row."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from amb.errors import InputError
from amb.study import digest, load_study

ROOT = Path(__file__).resolve().parent.parent
RATE = {"low": 1e-4, "high": 1e-2, "log": True}
SPACE = {
    "learning_rate": RATE,
    "backbone_learning_rate": {"low": 1e-5, "high": 1e-3, "log": True},
    "batch_size": {"choices": [8, 16]},
}
OWN = {
    "amb": {"backbone_learning_rate": {"instead": "options.head_dropout", "choices": [0.1, 0.3]}}
}


@pytest.fixture
def load(tmp_path):
    """Load the demo with a section ``tuning``; None for none."""

    def load_with(**changes):
        content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
        content["methods"]["mean_predictor"] = {}
        content["methods"]["amb_shuffled"] = {"builder": "amb", "control": "shuffled_audio"}
        tuning = {"trials": 5, "seed": 7, "space": SPACE, "methods": OWN, **changes}
        if changes != {"tuning": None}:
            content["tuning"] = tuning
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return load_study(file)

    return load_with


def test_every_row_has_the_same_number_of_dimensions(load):
    study = load()
    assert study.tuned_rows() == ["amb", "finetuned_fusion", "finetuned_text", "finetuned_late"]
    spaces = {row: study.tuning.space_of(row) for row in study.tuned_rows()}
    assert {len(space) for space in spaces.values()} == {3}
    assert [d.name for d in spaces["amb"]] == [
        "learning_rate",
        "options.head_dropout",
        "batch_size",
    ]
    assert [d.name for d in spaces["finetuned_text"]] == list(SPACE)
    assert spaces["amb"][1].ends() == (0.1, 0.3)
    assert spaces["amb"][0].ends() == (1e-4, 1e-2)


def test_a_study_without_tuning_is_what_it_was(load):
    plain, tuned = load(tuning=None), load(apply=True)
    assert plain.tuning is None
    assert plain.tuned_rows() == []
    assert "tuning" not in plain.resolved()
    assert plain.recipe_row("amb") is None
    for row in plain.methods:
        assert digest(plain.training_view(row)) == digest(tuned.training_view(row))
    assert tuned.resolved()["tuning"]["trials"] == 5
    digest(tuned.resolved())  # JSON-able


def test_a_control_has_the_recipe_of_the_row_that_it_controls(load):
    study = load(apply=True)
    assert study.recipe_row("amb_shuffled") == "amb"
    assert study.recipe_row("finetuned_text") == "finetuned_text"
    assert study.recipe_row("mean_predictor") is None
    assert study.rows_alike("amb") == ["amb", "amb_shuffled"]
    assert load(apply=False).recipe_row("amb") is None


def test_the_number_of_trials_is_no_part_of_what_a_search_is(load):
    few, many = load(trials=5, apply=True).tuning, load(trials=50).tuning
    assert few.search_view("amb") == many.search_view("amb")
    assert few.search_view("amb") != few.search_view("finetuned_text")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1113}, r"tuning.seed: found 1113, expected a seed that no run"),
        ({"trials": 0}, r"tuning.trials: found 0"),
        ({"space": {"max_epochs": RATE}}, r"tuning.space: found 'max_epochs'"),
        ({"space": {"learning_rate": {"low": 1}}}, r"either low, high or choices"),
        ({"space": {"learning_rate": {**RATE, "hihg": 1}}}, r"unknown key hihg"),
        ({"space": {"learning_rate": {"low": 2, "high": 1}}, "methods": {}}, r"low below high"),
        (
            {"space": {"weight_decay": {"low": 0, "high": 1, "log": True}}, "methods": {}},
            r"above 0 for a logarithmic",
        ),
        (
            {"space": {"batch_size": {"low": 8, "high": 16}}, "methods": {}},
            r"found '8 to 16', expected choices: batch_size is a whole number",
        ),
        ({"methods": {"mean_predictor": {}}}, r"tuning.methods: found 'mean_predictor', .* amb,"),
        (
            {"methods": {"amb": {"weight_decay": {"instead": "options.x", "choices": [1, 2]}}}},
            r"tuning.methods.amb: found 'weight_decay', expected one of learning_rate, back",
        ),
        (
            {
                "methods": {
                    "amb": {"backbone_learning_rate": {"instead": "learning_rate", **RATE}}
                }
            },
            r"found 'learning_rate twice', expected 3 different dimensions, as every row has",
        ),
        (
            {"methods": {"amb": {"backbone_learning_rate": {"choices": [1, 2]}}}},
            r"found 'no instead'",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_key_and_what_is_allowed(load, changes, message):
    with pytest.raises(InputError, match=message):
        load(**changes)
