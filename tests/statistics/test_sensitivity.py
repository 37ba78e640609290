"""The sensitivity table: the parts as they are by themselves, always the same, and its edges."""

import argparse

import numpy as np
import pandas as pd
import pytest

from amb.cli import sensitivity as command
from amb.errors import InputError
from amb.evaluation.metrics import METRICS
from amb.evaluation.predictions import run_folder, write_predictions
from amb.statistics.compare import compare
from amb.statistics.scores import score
from amb.statistics.sensitivity import SENSITIVITY_COLUMNS, sensitivity
from amb.statistics.superiority import probability_of_superiority
from amb.study import StatisticsSettings

SETTINGS = StatisticsSettings(reference="amb", metrics=("mae", "f1_non0", "corr"))


def test_rows_are_those_of_the_comparison_with_its_estimates(predictions):
    table = sensitivity(predictions, SETTINGS)
    assert table.columns.tolist() == SENSITIVITY_COLUMNS
    both = compare(predictions, SETTINGS).query("scope == 'population'").reset_index(drop=True)
    shared = ["metric", "method", "reference", "seeds", "seeds_reference", "n_items", "n_videos"]
    pd.testing.assert_frame_equal(table[shared], both[shared])
    np.testing.assert_allclose(table["estimate"], both["estimate"], rtol=1e-12)
    assert (table["percentile_low"] < table["estimate"]).all()
    assert (table["estimate"] < table["percentile_high"]).all()


def test_the_seeds_part_is_computed_on_the_scores(predictions):
    table = sensitivity(predictions, SETTINGS).set_index(["metric", "method"])
    scores = score(predictions).query("split == 'test'").set_index(["metric", "method"])["value"]
    for metric in SETTINGS.metrics:
        higher = METRICS[metric].higher_is_better
        a, b = scores[metric, "zeta"].to_numpy(), scores[metric, "amb"].to_numpy()
        row = table.loc[(metric, "zeta")]
        expected = probability_of_superiority(a, b, higher_is_better=higher)
        assert row["superiority"] == expected.probability
        assert row["best_of"] == 4
        assert row["expected_best"] == pytest.approx(a.max() if higher else a.min())
        assert row["aso_confidence"] == pytest.approx(1 - 0.05 / 6)
        assert row["permutation_exact"]
        assert row["permutation_smallest_p"] == pytest.approx(2 / 126)


def test_the_table_is_the_same_every_time_and_in_every_order_of_rows(predictions):
    one, again = sensitivity(predictions, SETTINGS), sensitivity(predictions, SETTINGS)
    pd.testing.assert_frame_equal(one, again, check_exact=True)
    shuffled = sensitivity(predictions.sample(frac=1, random_state=4), SETTINGS)
    pd.testing.assert_frame_equal(one, shuffled, check_exact=True)


def test_another_method_changes_the_confidence_of_aso_and_nothing_else(predictions):
    fewer = sensitivity(predictions[predictions["method"] != "late"], SETTINGS)
    more = sensitivity(predictions, SETTINGS).query("method == 'zeta'").reset_index(drop=True)
    changed = ["aso_confidence", "aso_epsilon_min"]
    pd.testing.assert_frame_equal(
        fewer.drop(columns=changed), more.drop(columns=changed), rtol=1e-9
    )


def test_what_is_undefined_says_why(simulate):
    predictions = simulate({"amb": (1, 3, 0.5), "one": (1, 1, 0.5), "flat": (1, 3, 0.5)})
    flat = predictions["method"] == "flat"
    predictions.loc[flat, "prediction"] = np.float32(0.1)
    table = sensitivity(predictions, SETTINGS).set_index(["metric", "method"])
    assert "a method has one seed; two are needed" in table.loc[("mae", "one"), "note"]
    assert "the contrast is undefined; a metric is undefined" in table.loc[("corr", "flat"), "note"]
    assert np.isnan(table.loc[("corr", "flat"), "permutation_p"])
    assert "p cannot be below 0.1 with 3 against 3 seeds" in table.loc[("mae", "flat"), "note"]


def test_a_study_of_the_reference_alone_has_an_empty_table(simulate):
    table = sensitivity(simulate({"amb": (1, 2, 0.5)}), SETTINGS)
    assert table.columns.tolist() == SENSITIVITY_COLUMNS
    assert table.empty
    with pytest.raises(InputError, match="method: found 'late', expected amb"):
        sensitivity(simulate({"late": (1, 2, 0.5)}), SETTINGS)


STUDY = """
schema: 1
name: tiny
data:
  reader: demo
  demo: {seed: 1, videos: {train: 2, valid: 2, test: 2}, utterances_per_video: 3,
         shares: {text: 0.5, audio: 0.1, visual: 0.1, interaction: 0.1}}
backbone: {name: minilm}
methods: {amb: {}, finetuned_fusion: {}, mean_predictor: {seeds: 1}}
seeds: {first: 11, count: 2}
training: {max_epochs: 1}
statistics: {reference: finetuned_fusion, metrics: [mae, acc7]}
"""


def test_the_command_leaves_control_rows_out(tmp_path, simulate):
    (tmp_path / "tiny.yaml").write_text(STUDY)
    rows = {"amb": (11, 2, 0.5), "finetuned_fusion": (11, 2, 0.8), "mean_predictor": (11, 1, 1)}
    for (method, seed), run in simulate(rows).groupby(["method", "seed"]):
        folder = run_folder(tmp_path / "runs", method, seed)
        write_predictions(folder / "predictions.parquet", run, {})
    parser = argparse.ArgumentParser()
    command.configure(parser)
    out = tmp_path / "sensitivity.csv"
    arguments = ["--runs", tmp_path / "runs", "--study", tmp_path / "tiny.yaml", "--out", out]
    command.run(parser.parse_args([str(argument) for argument in arguments]))
    table = pd.read_csv(out)
    assert table["method"].tolist() == ["amb", "amb"]
    assert table["metric"].tolist() == ["mae", "acc7"]
