"""Letters and ties, against their definition, and the tests of all pairs that they rest on."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from amb.statistics.compare import moments_by_method
from amb.statistics.moments import metric_table
from amb.statistics.multiplicity import holm_correction
from amb.statistics.pairs import PAIR_COLUMNS, all_pairs
from amb.statistics.scopes import SCOPES, effect_in_scope
from amb.statistics.ties import compact_letters, find_ties, tied_with_best
from amb.study import StatisticsSettings

SETTINGS = StatisticsSettings("amb", metrics=("mae", "corr"))


def different(*pairs):
    return {frozenset(pair.split()) for pair in pairs}


def shares_a_letter(letters, a, b):
    return bool(set(letters[a]) & set(letters[b]))


def test_letters_of_a_chain_overlap():
    # By hand: a is told from c only, so b belongs to both groups.
    letters = compact_letters(["a", "b", "c"], different("c a"))
    assert letters == {"a": "a", "b": "ab", "c": "b"}


def test_letters_of_piephos_kind_where_groups_absorb_each_other():
    pairs = different("a d", "a e", "b e")
    assert compact_letters(list("abcde"), pairs) == {
        "a": "a", "b": "ab", "c": "abc", "d": "bc", "e": "c",
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_two_rows_share_a_letter_exactly_where_they_do_not_differ(seed):
    rng = np.random.default_rng(seed)
    names = [f"row{i}" for i in range(rng.integers(1, 11))]
    share = rng.uniform()
    pairs = {frozenset(pair) for pair in combinations(names, 2) if rng.uniform() < share}
    letters = compact_letters(names, pairs)
    for a, b in combinations(names, 2):
        assert shares_a_letter(letters, a, b) == (frozenset((a, b)) not in pairs)
    assert all(letters.values())
    assert compact_letters(names, sorted(pairs, key=sorted, reverse=True)) == letters


def test_no_letter_is_superfluous():
    names = list("abcdef")
    pairs = different("a f", "b f", "a e")
    letters = compact_letters(names, pairs)
    used = sorted(set("".join(letters.values())))
    groups = [{name for name in names if letter in letters[name]} for letter in used]
    assert not any(one < other for one in groups for other in groups)


def test_ties_with_the_best_are_not_transitive():
    assert tied_with_best(["a", "b", "c"], different("a c")) == ["a", "b"]


def test_pairs_are_the_tests_of_both_scopes_and_holm_corrects_within_metric_and_scope(predictions):
    moments = moments_by_method(predictions)
    table = all_pairs(moments, SETTINGS)
    assert list(table.columns) == PAIR_COLUMNS
    assert len(table) == 2 * 3 * 2
    for row in table.itertuples():
        a, b = (metric_table(moments[name], row.metric) for name in (row.a, row.b))
        effect = effect_in_scope(row.scope, a, b, row.metric, "difference", 0.05)
        assert (row.estimate, row.p, row.ci_low) == (effect.estimate, effect.p, effect.ci_low)
    for _, own in table.groupby(["metric", "scope"]):
        np.testing.assert_array_equal(own["p_adjusted"], holm_correction(own["p"]))
        assert set(own["correction"]) == {"Holm, 3 pairs"}


def summary_of(moments, metric="mae"):
    means = [
        (name, metric, metric_table(own, metric).values.mean()) for name, own in moments.items()
    ]
    return pd.DataFrame(means, columns=["method", "metric", "mean"])


def test_clear_differences_get_letters_of_their_own(simulate):
    frame = simulate({"good": (1, 6, 0.2), "bad": (1, 6, 2.0), "as_good": (1, 6, 0.2)}, videos=30)
    moments = moments_by_method(frame)
    pairs = all_pairs(moments, StatisticsSettings("good", metrics=("mae",)))
    ties = find_ties(pairs, summary_of(moments)).set_index(["scope", "method"])
    for scope in SCOPES:
        assert ties.loc[(scope, "bad"), "letters"] == "b"
        assert ties.loc[(scope, "good"), "letters"] == "a"
        assert ties.loc[(scope, "as_good"), "tied_with_best"]
        assert not ties.loc[(scope, "bad"), "tied_with_best"]


def test_what_cannot_be_tested_counts_as_not_different_and_is_marked(simulate):
    frame = simulate({"good": (1, 5, 0.2), "bad": (1, 5, 3.0), "single": (1, 1, 3.0)}, videos=20)
    moments = moments_by_method(frame)
    pairs = all_pairs(moments, StatisticsSettings("good", metrics=("mae",)))
    ties = find_ties(pairs, summary_of(moments)).set_index(["scope", "method"])
    assert ties.loc[("fixed_set", "single"), "letters"] == "ab"
    assert ties["untested"].all()
    assert set(pairs.loc[pairs["p"].isna(), "note"]) == {"a method has one seed; two are needed"}


def test_row_with_an_undefined_mean_has_no_letter(simulate):
    moments = moments_by_method(simulate({"a": (1, 3, 0.2), "b": (1, 3, 0.3)}))
    summary = summary_of(moments).assign(mean=[float("nan"), 0.5])
    pairs = all_pairs(moments, StatisticsSettings("a", metrics=("mae",))).assign(
        p=np.nan, significant=False
    )
    ties = find_ties(pairs, summary).set_index("method").loc["a"]
    assert set(ties["letters"]) == {""}
    assert not ties["tied_with_best"].any()


def test_control_rows_take_no_part(predictions):
    moments = moments_by_method(predictions)
    pairs = all_pairs(moments, StatisticsSettings("amb", metrics=("mae",)))
    summary = summary_of(moments)
    control = summary.assign(method="oracle", mean=0.0)
    expected = find_ties(pairs, summary)
    pd.testing.assert_frame_equal(find_ties(pairs, pd.concat([control, summary])), expected)
