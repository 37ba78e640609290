"""The comparison table and the scores behind it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from amb.errors import InputError
from amb.evaluation.method_runs import runs_by_method
from amb.evaluation.metrics import METRICS
from amb.statistics.compare import COMPARISON_COLUMNS, compare
from amb.statistics.multiplicity import holm_correction
from amb.statistics.scores import SCORE_COLUMNS, SUMMARY_COLUMNS, score, summarise
from amb.study import StatisticsSettings

SETTINGS = StatisticsSettings(reference="amb", metrics=("mae", "f1_non0", "corr"))


def test_scores_hold_every_metric_of_every_run_and_split(predictions):
    scores = score(predictions)
    assert scores.columns.tolist() == SCORE_COLUMNS
    assert len(scores) == (4 + 5 + 3) * 2 * 8
    assert scores["method"].drop_duplicates().tolist() == ["amb", "late", "zeta"]
    rows = predictions.query("method == 'late' and seed == 4 and split == 'valid'")
    expected = (rows["label"].astype(float) - rows["prediction"].astype(float)).abs().mean()
    found = scores.query("method == 'late' and seed == 4 and split == 'valid'").set_index("metric")
    assert found.loc["mae", "value"] == pytest.approx(expected)
    assert found.loc["mae", "n"] == len(rows)
    assert found.loc["f1_non0", "n"] == (rows["label"] != 0).sum()


def test_the_summary_is_the_t_interval_over_seeds_of_the_test_scores(predictions):
    scores = score(predictions)
    summary = summarise(scores, n_videos=8, alpha=0.1)
    assert summary.columns.tolist() == SUMMARY_COLUMNS
    assert len(summary) == 3 * 8
    row = summary.query("method == 'zeta' and metric == 'acc7'").iloc[0]
    values = scores.query("method == 'zeta' and metric == 'acc7' and split == 'test'")["value"]
    assert (row["seeds"], row["n_videos"]) == (4, 8)
    assert row["mean"] == pytest.approx(values.mean())
    assert row["std"] == pytest.approx(values.std())
    interval = stats.t.interval(0.9, 3, values.mean(), stats.sem(values))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(interval)


def test_one_seed_has_a_mean_and_no_interval(simulate):
    summary = summarise(score(simulate({"amb": (1, 1, 0.5)})), n_videos=8)
    assert summary["mean"].notna().all()
    assert summary[["std", "ci_low", "ci_high"]].isna().all(axis=None)


def test_a_run_without_corr_makes_the_mean_undefined_instead_of_being_left_out(predictions):
    constant = (predictions["method"] == "amb") & (predictions["seed"] == 12)
    predictions.loc[constant, "prediction"] = np.float32(0.1)
    with pytest.warns(RuntimeWarning, match="Corr of run rows"):
        scores = score(predictions)
    summary = summarise(scores, n_videos=8).set_index(["method", "metric"])
    assert np.isnan(summary.loc[("amb", "corr"), "mean"])
    assert np.isfinite(summary.loc[("amb", "mae"), "mean"])
    table = compare(predictions, SETTINGS).set_index(["metric", "method", "scope"])
    row = table.loc[("corr", "late", "population")]
    assert np.isnan(row["p"])
    assert np.isnan(row["p_adjusted"])
    assert not row["significant"]
    assert row["correction"] == "Holm, 4 comparisons"


def test_the_comparison_has_both_scopes_of_every_method_and_metric(predictions):
    table = compare(predictions, SETTINGS)
    assert table.columns.tolist() == COMPARISON_COLUMNS
    keys = table[["metric", "method", "scope"]].itertuples(index=False, name=None)
    assert list(keys) == [
        (metric, method, scope)
        for metric in ("mae", "f1_non0", "corr")
        for method in ("late", "zeta")
        for scope in ("fixed_set", "population")
    ]
    assert set(table["test"]) == {"Welch t over seeds", "two-way jackknife t"}
    assert set(table["correction"]) == {"Holm, 6 comparisons"}


def test_the_fixed_set_rows_are_welchs_t_test_on_the_scores(predictions):
    table = compare(predictions, SETTINGS).set_index(["metric", "method", "scope"])
    scores = score(predictions).query("split == 'test'").set_index(["metric", "method"])["value"]
    for metric, sign in (("mae", -1), ("f1_non0", 1)):
        expected = stats.ttest_ind(
            sign * scores[metric, "late"], sign * scores[metric, "amb"], equal_var=False
        )
        row = table.loc[(metric, "late", "fixed_set")]
        assert row["p"] == pytest.approx(expected.pvalue, rel=1e-8)
        assert row["ci_low"] == pytest.approx(expected.confidence_interval().low, rel=1e-8)
        assert (row["seeds"], row["seeds_reference"]) == (3, 5)
    assert table.loc[("mae", "late", "fixed_set"), "estimate"] < 0  # late is the noisier one


def test_holm_runs_over_methods_and_metrics_of_one_scope(predictions):
    table = compare(predictions, SETTINGS)
    for _, rows in table.groupby("scope"):
        expected = holm_correction(rows["p"].to_numpy())
        np.testing.assert_array_equal(rows["p_adjusted"].to_numpy(), expected)
        assert (rows["significant"] == (rows["p_adjusted"] < 0.05)).all()
    assert table["significant"].any()


def test_shuffled_rows_give_the_same_tables_to_the_last_bit(predictions):
    shuffled = predictions.sample(frac=1, random_state=4)
    pd.testing.assert_frame_equal(score(shuffled), score(predictions), check_exact=True)
    pd.testing.assert_frame_equal(
        compare(shuffled, SETTINGS), compare(predictions, SETTINGS), check_exact=True
    )


def test_two_identical_methods_under_different_names_get_no_star(predictions):
    twin = predictions[predictions["method"] == "amb"].assign(method="twin")
    both = pd.concat([predictions[predictions["method"] == "amb"], twin])
    settings = StatisticsSettings(reference="amb", metrics=tuple(METRICS))
    table = compare(both, settings)
    assert len(table) == 16
    assert not table["significant"].any()
    assert (table["estimate"] == 0).all()
    assert (table["p"] == 1).all()


def test_one_changed_prediction_changes_exactly_the_numbers_that_depend_on_it(predictions):
    changed = predictions.copy()
    row = changed.query("method == 'late' and seed == 4 and split == 'test'").index[0]
    changed.loc[row, "prediction"] += np.float32(0.01)
    before, after = score(predictions), score(changed)
    differs = before[before["value"] != after["value"]]
    keys = differs[["method", "seed", "split"]].drop_duplicates().to_numpy().tolist()
    assert keys == [["late", 4, "test"]]
    assert {"mae", "corr"} <= set(differs["metric"])
    numbers = ["estimate", "se", "df", "ci_low", "ci_high", "p", "mde"]
    one, other = compare(predictions, SETTINGS), compare(changed, SETTINGS)
    moved = (one[numbers] != other[numbers]).any(axis=1)
    assert set(one.loc[moved, "method"]) == {"late"}
    assert moved[(one["method"] == "late") & (one["metric"] == "mae")].all()


def test_another_method_in_the_study_changes_only_the_correction(simulate):
    few = {"amb": (1, 4, 0.5), "late": (1, 4, 0.9)}
    one = compare(simulate(few), SETTINGS)
    more = compare(simulate({**few, "zeta": (1, 3, 0.7)}), SETTINGS)
    more = more[more["method"] == "late"].reset_index(drop=True)
    corrected = ["p_adjusted", "significant", "correction"]
    pd.testing.assert_frame_equal(
        one.drop(columns=corrected), more.drop(columns=corrected), check_exact=True
    )
    assert (more["p_adjusted"] >= one["p_adjusted"]).all()


def test_a_study_of_the_reference_alone_has_an_empty_table(simulate):
    table = compare(simulate({"amb": (1, 2, 0.5)}), SETTINGS)
    assert table.columns.tolist() == COMPARISON_COLUMNS
    assert table.empty


def test_a_reference_without_predictions_is_refused(simulate):
    with pytest.raises(InputError, match="method: found 'late', expected amb"):
        compare(simulate({"late": (1, 2, 0.5)}), SETTINGS)


def test_one_seed_of_the_reference_leaves_estimates_without_stars(simulate):
    predictions = simulate({"amb": (1, 1, 0.5), "late": (1, 4, 0.9)})
    table = compare(predictions, SETTINGS)
    assert table["estimate"].notna().all()
    assert table["p"].isna().all()
    assert not table["significant"].any()
    assert set(table["correction"]) == {"Holm, 0 comparisons"}


def test_tables_are_computed_on_the_test_split_only(predictions):
    test_only = predictions[predictions["split"] == "test"]
    pd.testing.assert_frame_equal(compare(test_only, SETTINGS), compare(predictions, SETTINGS))
    assert set(runs_by_method(predictions)) == {"amb", "late", "zeta"}
