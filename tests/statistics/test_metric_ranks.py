"""Ranks by definition: means, ties, what is undefined, and which pairs change places."""

import math

import numpy as np
import pytest

from amb.evaluation.method_runs import MethodRuns
from amb.evaluation.metric_variants import VARIANTS
from amb.statistics.metric_ranks import RANKED_FAMILIES, changing_pairs, rank_by_variant

LABELS = [0.0, 0.0, 1.0, -1.0, 2.0]


def runs_of(labels, **predictions):
    """Return runs and labels of methods from their predictions, each (S, N)."""
    labels = np.asarray(labels, dtype=np.float64)
    names = np.array([f"u{place}" for place in range(labels.size)], dtype=object)
    runs = {
        method: MethodRuns(
            method, np.arange(len(rows)), names, names, labels, np.array(rows, dtype=np.float64)
        )
        for method, rows in predictions.items()
    }
    return runs, {method: method.upper() for method in predictions}


def family(found, name):
    return found.table[found.table["family"] == name]


def cell(found, variant, metric, method):
    table = found.table.set_index(["variant", "metric", "method"])
    return table.loc[(variant, metric, method)]


@pytest.fixture
def opposed():
    """Two methods: one right on the zeros as MMSA counts them, one on all else."""
    zeros_right = [[0.5, 0.25, 1.5, 0.5, 1.0]] * 2
    rest_right = [[-0.5, -0.25, 1.5, -0.5, 2.5]] * 2
    return rank_by_variant(*runs_of(LABELS, zeros=zeros_right, rest=rest_right))


def test_methods_that_change_places_are_named_with_the_definitions_that_order_them(opposed):
    assert cell(opposed, "mmsa", "acc2_has0", "zeros")["mean"] == pytest.approx(4 / 5)
    assert cell(opposed, "mmsa", "acc2_has0", "rest")["mean"] == pytest.approx(3 / 5)
    (pair,) = changing_pairs(family(opposed, "Acc-2"))
    assert (pair.first, pair.second) == ("zeros", "rest")
    assert pair.first_ahead == ("acc2_has0 (mmsa)",)
    assert pair.second_ahead == ("acc2_non0 (mmsa)", "acc2_non0 (mag)", "acc2_neg0 (mmlatch)")
    assert changing_pairs(family(opposed, "MAE")) == []


def test_equal_means_share_the_better_rank_and_put_nobody_ahead():
    runs, labels = runs_of(
        LABELS,
        a=[[1.0, 1.0, 1.0, -1.0, 2.0]],
        b=[[1.0, 1.0, 1.0, -1.0, 2.0]],
        c=[[1.0, 1.0, 1.0, 1.0, -2.0]],
    )
    found = rank_by_variant(runs, labels)
    ranks = [cell(found, "mmsa", "acc2_non0", method)["rank"] for method in "abc"]
    assert ranks == [1, 1, 3]
    assert changing_pairs(family(found, "Acc-2")) == []


def test_equal_values_in_another_order_of_seeds_are_a_tie():
    rng = np.random.default_rng(16)
    rows = rng.normal(size=(7, 30))
    labels = rng.normal(size=30)
    found = rank_by_variant(*runs_of(labels, a=rows, b=rows[::-1]))
    assert (found.table["rank"] == 1).all()


def test_rank_1_is_the_lowest_error_and_the_highest_accuracy(opposed):
    assert cell(opposed, "mmsa", "mae", "rest")["rank"] == 1
    assert cell(opposed, "mmsa", "mae", "zeros")["rank"] == 2
    assert cell(opposed, "mmsa", "acc2_non0", "rest")["rank"] == 1


def test_a_mean_over_a_run_without_a_correlation_is_undefined_and_has_no_rank():
    constant = [[0.5] * 5, [1.0, 0.0, 1.0, -1.0, 2.0]]
    runs, labels = runs_of(LABELS, collapsed=constant, other=[[1.0, 0.0, 1.0, -1.0, 2.0]])
    with pytest.warns(RuntimeWarning, match="constant"):
        found = rank_by_variant(runs, labels)
    row = cell(found, "mmsa", "corr", "collapsed")
    assert math.isnan(row["mean"])
    assert row.isna()["rank"]
    assert cell(found, "mmsa", "corr", "other")["rank"] == 1
    assert changing_pairs(family(found, "Corr")) == []


def test_values_are_means_over_seeds_of_the_variants_own_functions():
    rng = np.random.default_rng(17)
    labels = rng.choice([-0.8, -0.1, 0.0, 0.4, 1.0], 50)
    predictions = rng.normal(size=(4, 50))
    found = rank_by_variant(*runs_of(labels, a=predictions, b=-predictions))
    expected = {
        (variant.name, metric.name): metric(labels, predictions).mean()
        for variant in VARIANTS.values()
        for metric in variant.metrics.values()
        if metric.family in RANKED_FAMILIES
    }
    own = found.table[found.table["method"] == "a"].set_index(["variant", "metric"])
    assert own["mean"].to_dict() == pytest.approx(expected)
    assert own["seeds"].eq(4).all()
    assert found.left_out == {}
    assert (found.n_items, found.n_zero_labels) == (50, np.count_nonzero(labels == 0))


def test_sims_is_left_out_where_labels_reach_beyond_one(opposed):
    assert opposed.left_out == {"sims": 2.0}
    assert "sims" not in set(opposed.table["variant"])


def test_variants_that_share_a_function_share_the_definition_and_the_numbers(opposed):
    acc7 = family(opposed, "Acc-7")
    named = acc7.groupby("definition", sort=False)["variant"].unique().map(list).to_dict()
    assert named == {"acc7 (mmsa)": ["mmsa", "mult", "mmlatch"], "acc7 (cmu_sdk)": ["cmu_sdk"]}
    assert (acc7.groupby(["definition", "method"])["mean"].nunique() == 1).all()


def test_rows_stand_in_the_order_of_the_table_and_only_those_asked_for():
    rows = [[1.0, 0.0, 1.0, -1.0, 2.0]]
    runs, _ = runs_of(LABELS, a=rows, b=rows, c=rows)
    found = rank_by_variant(runs, {"c": "C", "a": "A"})
    assert found.table["label"].unique().tolist() == ["C", "A"]
