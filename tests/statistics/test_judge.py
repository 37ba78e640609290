"""Verdicts on registered claims, from predictions and parameter counts."""

import json
from dataclasses import replace

import numpy as np
import pytest

from amb.evaluation.method_runs import runs_by_method
from amb.statistics.claim_kinds import CountClaim, OrderingClaim
from amb.statistics.claims import ClaimsFile, CollapseRule
from amb.statistics.collapse import collapsed_seeds, has_collapsed
from amb.statistics.fixed_set import fixed_set_test
from amb.statistics.judge import judge
from amb.statistics.parameters import ParameterCount
from amb.statistics.scores import score

SOURCE = {"paper": "a paper", "where": "abstract"}
RULE = CollapseRule("valid", "mae", 0.99)


def ordering(name, a="amb", b="late", metric="mae", scope="fixed_set", sesoi=0.01):
    return OrderingClaim(
        id=name,
        statement="a is better than b",
        source=SOURCE,
        a=a,
        b=b,
        metric=metric,
        form="relative",
        sesoi=sesoi,
        headline_scope=scope,
        family="primary",
    )


def file_of(*claims):
    return ClaimsFile("cafe", 0.05, {"primary": "holm"}, RULE, claims)


def by_id(result):
    return {claim["id"]: claim for claim in result["claims"]}


def test_a_clear_gain_is_reproduced_and_its_reverse_is_not(predictions):
    result = by_id(
        judge(file_of(ordering("up"), ordering("down", "late", "amb")), predictions, {}, {})
    )
    assert result["up"]["verdict"] == "reproduced"
    assert result["down"]["verdict"] == "not reproduced"
    assert result["up"]["reason"].startswith(
        "On this test set, over seeds, the gain of amb over late in MAE is 4"
    )
    assert "5 seeds against 3" in result["up"]["reason"]
    named = judge(file_of(ordering("up")), predictions, {}, {"amb": "AMB"})["claims"][0]
    assert "the gain of AMB over late in MAE" in named["reason"]
    assert named["contrast"]["labels"] == {"a": "AMB", "b": "late"}
    assert "it is below 1.00 %, the smallest effect of interest" in result["down"]["reason"]


def test_numbers_of_the_fixed_set_scope_are_those_of_the_scores(predictions):
    claim = by_id(judge(file_of(ordering("up")), predictions, {}, {}))["up"]
    values = score(predictions).query("split == 'test' and metric == 'mae'").groupby("method")
    a, b = (values.get_group(name)["value"].to_numpy() for name in ("amb", "late"))
    expected = fixed_set_test(a, b, higher_is_better=False, form="relative")
    found = claim["scopes"]["fixed_set"]
    for key in ("estimate", "ci_low", "ci_high", "se", "df", "p", "mde"):
        assert found[key] == pytest.approx(getattr(expected, key), rel=1e-8), key
    assert found["p_adjusted"] == found["p"]
    assert set(claim["scopes"]) == {"fixed_set", "population"}
    assert claim["seeds"] == {"a": 5, "b": 3}
    folders = [
        *(f"runs/amb/seed{seed}" for seed in (11, 12, 13, 14, 15)),
        *(f"runs/late/seed{seed}" for seed in (3, 4, 5)),
    ]
    assert claim["runs"] == [{"folder": f, "identity_sha256": None} for f in folders]
    test = runs_by_method(predictions)["amb"]
    assert (claim["n_items"], claim["n_videos"]) == (test.labels.size, 8)


def test_the_headline_scope_gives_the_verdict(predictions):
    claims = [ordering("fixed"), ordering("population", scope="population")]
    result = by_id(judge(file_of(*claims), predictions, {}, {}))
    for name, scope in (("fixed", "fixed_set"), ("population", "population")):
        assert result[name]["verdict"] == result[name]["scopes"][scope]["verdict"]
        assert result[name]["reason"] == result[name]["scopes"][scope]["reason"]
    assert result["population"]["reason"].startswith("Over new seeds and new videos")


def test_holm_counts_the_claims_of_the_family_that_could_be_tested(predictions):
    claims = [ordering("weak", "zeta", "amb"), ordering("up"), ordering("gone", b="absent")]
    result = by_id(judge(file_of(*claims), predictions, {}, {}))
    fixed = result["up"]["scopes"]["fixed_set"]
    assert fixed["p_adjusted"] == pytest.approx(2 * fixed["p"])
    gone = result["gone"]
    assert gone["verdict"] == "not tested"
    assert gone["reason"] == "not tested: method absent is not in this study"
    assert gone["scopes"] == {}
    assert set(gone) == set(result["up"])


def test_one_seed_is_inconclusive_with_the_reason_and_no_numbers_made_up(simulate):
    result = judge(
        file_of(ordering("up")), simulate({"amb": (1, 1, 0.5), "late": (1, 3, 2)}), {}, {}
    )
    claim = result["claims"][0]
    assert claim["verdict"] == "inconclusive"
    assert claim["reason"].endswith("cannot be tested: a method has one seed; two are needed.")
    assert "1 seed against 3" in claim["reason"]
    assert claim["scopes"]["population"]["p"] is None
    assert claim["scopes"]["population"]["estimate"] > 0
    json.dumps(result, allow_nan=False)


def test_an_inconclusive_claim_says_what_it_could_have_seen(simulate):
    predictions = simulate({"amb": (1, 3, 0.8), "late": (1, 3, 0.8)})
    claim = judge(file_of(ordering("up")), predictions, {}, {})["claims"][0]
    assert claim["verdict"] == "inconclusive"
    mde = 100 * claim["scopes"]["fixed_set"]["mde"]
    assert f"finds a gain of {mde:.2f} % with 80 % power" in claim["reason"]


def count(threshold=0.25):
    return CountClaim(
        id="small",
        statement="few parameters",
        source=SOURCE,
        a="amb",
        b="late",
        quantity="trainable_parameters",
        threshold=threshold,
    )


COUNTS = {"amb": ParameterCount(1000, 90), "late": ParameterCount(900, 450)}


@pytest.mark.parametrize(
    ("threshold", "verdict", "side"),
    [(0.25, "reproduced", "below"), (0.2, "not reproduced", "not below")],
)
def test_a_count_is_held_against_its_registered_limit(predictions, threshold, verdict, side):
    claim = judge(file_of(count(threshold)), predictions, COUNTS, {})["claims"][0]
    assert claim["verdict"] == verdict
    assert claim["counts"] == {
        "quantity": "trainable_parameters",
        "a": 90,
        "b": 450,
        "ratio": 0.2,
        "threshold": threshold,
        "share_of_own_total": {"a": 0.09, "b": 0.5},
    }
    assert claim["reason"] == (
        "amb trains 90 parameters (9.00 % of its own), late 450 (50.00 % of its own): a ratio of "
        f"0.2, {side} the registered limit of {threshold:g}."
    )


def test_a_run_has_collapsed_if_it_gains_nothing_over_the_best_constant(predictions):
    valid = runs_by_method(predictions, "valid")["amb"]
    median = np.median(valid.labels)
    guesses = np.stack(
        [
            np.full_like(valid.labels, median),  # ratio 1
            np.full_like(valid.labels, median + 0.7),  # a worse constant
            median + 0.98 * (valid.labels - median),  # nearly right
            median + 0.02 * (valid.labels - median),  # ratio 0.98: better than 0.99
        ]
    )
    runs = replace(valid, seeds=np.arange(4), predictions=guesses)
    assert has_collapsed(runs, RULE).tolist() == [True, True, False, False]


def collapse(predictions, method, seed):
    predictions = predictions.copy()
    run = (predictions["method"] == method) & (predictions["seed"] == seed)
    predictions.loc[run, "prediction"] = np.float32(0.4)
    return predictions


def test_collapsed_runs_count_in_the_verdict_and_are_left_out_beside_it(predictions):
    broken = collapse(predictions, "amb", 13)
    assert collapsed_seeds(broken, RULE) == {"amb": [13], "late": [], "zeta": []}
    result = judge(file_of(ordering("up"), ordering("other", "late", "zeta")), broken, {}, {})
    assert result["collapse"]["rule"] == {"split": "valid", "metric": "mae", "worse_than": 0.99}
    assert result["collapse"]["methods"]["amb"] == {
        "label": "amb",
        "runs": 5,
        "collapsed_seeds": [13],
        "rate": 0.2,
    }
    claim, other = result["claims"]
    assert claim["verdict"] == claim["scopes"]["fixed_set"]["verdict"]
    assert claim["scopes"]["fixed_set"]["seeds"] == {"a": 5, "b": 3}
    without = claim["without_collapsed"]["fixed_set"]
    assert without["seeds"] == {"a": 4, "b": 3}
    assert without["verdict"] == "reproduced"
    assert without["se"] < claim["scopes"]["fixed_set"]["se"]
    assert other["without_collapsed"] is None


def test_a_method_that_collapsed_in_all_its_runs_has_nothing_without_them(simulate):
    predictions = simulate({"amb": (1, 2, 0.5), "late": (1, 2, 0.9)})
    broken = collapse(collapse(predictions, "amb", 1), "amb", 2)
    claim = judge(file_of(ordering("up")), broken, {}, {})["claims"][0]
    assert claim["without_collapsed"] == {}
    assert claim["verdict"] != "reproduced"


def test_the_collapse_rule_reads_the_validation_split_only(predictions):
    test = predictions["split"] == "test"
    predictions.loc[test, "prediction"] = np.float32(9.0)
    assert collapsed_seeds(predictions, RULE) == {"amb": [], "late": [], "zeta": []}


def test_the_order_of_rows_changes_nothing(predictions):
    file = file_of(ordering("up"), count())
    shuffled = predictions.sample(frac=1, random_state=8)
    assert judge(file, predictions, COUNTS, {}) == judge(file, shuffled, COUNTS, {})
