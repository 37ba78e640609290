"""One method under two names: the comparison table must not find a difference.

The chain is that of a study: predictions, moments, both tests, Holm within the table.

A study has a *star* if any row of a scope is significant. Holm at .05 allows that in at most one
study of twenty, so no star in nineteen of twenty. Of 200 independent studies, more than 21 have a
star with probability .0005 if each has one with probability .05: P(X > 21), X ~ Bin(200, .05). A
table that found one in every fifth study would stay at or below 21 with probability .0002.
"""

import numpy as np
from scipy import stats

from amb.evaluation.metrics import METRICS
from amb.statistics.compare import compare
from amb.study import StatisticsSettings

STUDIES, MOST = 200, 21
SETTINGS = StatisticsSettings(reference="one", metrics=tuple(METRICS))


def one_method_twice(simulate, study):
    """Return ten runs of one method on a test set of its own, five of them under another name."""
    predictions = simulate({"one": (100, 10, 0.6)}, videos=12, clips=6, seed=study)
    others = np.random.default_rng([study, 1]).permutation(np.arange(100, 110))[:5]
    return predictions.assign(method=np.where(predictions["seed"].isin(others), "other", "one"))


def equally_good_methods(simulate, study):
    """Return two methods of one law: each better on some videos, neither better in general."""
    methods = {"one": (100, 10, 0.3), "other": (200, 10, 0.3)}
    return simulate(methods, videos=12, clips=6, seed=study, seed_spread=0.02)


def count_stars(simulate, predictions_of):
    """Return the number of studies with a star, corrected and not, by scope."""
    corrected, uncorrected = ({"fixed_set": 0, "population": 0} for _ in range(2))
    for study in range(STUDIES):
        table = compare(predictions_of(simulate, study), SETTINGS)
        assert table["p"].notna().all()
        for scope, rows in table.groupby("scope"):
            corrected[scope] += rows["significant"].any()
            uncorrected[scope] += (rows["p"] < SETTINGS.alpha).any()
    return corrected, uncorrected


def test_the_threshold_is_the_one_that_the_binomial_gives():
    assert stats.binom.sf(MOST, STUDIES, 0.05) < 0.001 < stats.binom.sf(MOST - 1, STUDIES, 0.05)
    assert stats.binom.cdf(MOST, STUDIES, 0.2) < 0.001


def test_one_method_under_two_names_gets_no_star_in_nineteen_of_twenty_studies(simulate):
    """Without the correction the same studies break the threshold, so it can be broken."""
    corrected, uncorrected = count_stars(simulate, one_method_twice)
    assert corrected["fixed_set"] <= MOST
    assert corrected["population"] <= MOST
    assert uncorrected["fixed_set"] > MOST


def test_two_equally_good_methods_get_no_star_for_other_videos_but_do_on_one_test_set(simulate):
    """Seeds alone say which is better on these videos, and that is another question."""
    corrected, _ = count_stars(simulate, equally_good_methods)
    assert corrected["population"] <= MOST
    assert corrected["fixed_set"] > STUDIES / 3
