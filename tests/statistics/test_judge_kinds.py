"""Every kind of claim from predictions to verdict, and why some are not tested."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from amb.statistics import noise
from amb.statistics.claim_kinds import (
    AllOfClaim,
    CountClaim,
    MagnitudeClaim,
    NoninferiorityClaim,
    NumberClaim,
    OrderingClaim,
    SpeedClaim,
)
from amb.statistics.claims import ClaimsFile, CollapseRule
from amb.statistics.effect import SampleSizes, t_effect
from amb.statistics.evidence import Background
from amb.statistics.judge import judge
from amb.statistics.noise import conditions, retention
from amb.statistics.parameters import ParameterCount
from amb.statistics.published import PublishedNumber, PublishedNumbers
from amb.statistics.scores import score
from amb.statistics.speed import Timing

WORDS = {
    "id": "x",
    "statement": "a statement",
    "source": {"paper": "a paper", "where": "abstract"},
}
RULE = CollapseRule("valid", "mae", 0.99)
QUOTED = PublishedNumber("mosei", "MMIM (paper)", "mae", 0.5, "a source", "a note")
PUBLISHED = PublishedNumbers("published.csv", "beef", {("mosei", "MMIM (paper)", "mae"): QUOTED})
TIMING = Timing(
    "amb", "late", "A processor", 1, ("medium", "high"), 10, ((1, 2), (1, 2.1), (2, 3.9))
)
COUNTS = {"amb": ParameterCount(1000, 90), "late": ParameterCount(900, 450)}


def named(claim, name):
    return replace(claim, id=name)


PAIR = {**WORDS, "a": "amb", "b": "late"}
MAE = {**PAIR, "metric": "mae", "headline_scope": "fixed_set", "family": "primary"}
ORDERING = OrderingClaim(**MAE, form="relative", sesoi=0.01)
MAGNITUDE = MagnitudeClaim(**MAE, form="relative", claimed=0.5, margin=0.2)
NOISE = NoninferiorityClaim(**MAE, corruption="gaussian:*", margin=0.1)
NUMBER = NumberClaim(
    **WORDS,
    a="amb",
    metric="mae",
    dataset="mosei",
    model="MMIM (paper)",
    relative_gain=0.0,
    margin=0.05,
    family="primary",
)
SPEED = SpeedClaim(**PAIR, sesoi=0.05, family="primary")
COUNT = CountClaim(**PAIR, quantity="trainable_parameters", threshold=0.25)


def judged(predictions, *claims, background=None, families=None):
    file = ClaimsFile("cafe", 0.05, families or {"primary": "holm"}, RULE, claims)
    result = judge(file, predictions, COUNTS, {"amb": "AMB"}, background)
    json.dumps(result, allow_nan=False)
    return result["claims"]


def test_a_magnitude_is_held_against_its_band_in_both_scopes(predictions):
    claim = judged(predictions, MAGNITUDE)[0]
    fixed = claim["scopes"]["fixed_set"]
    assert 0.3 < fixed["estimate"] < 0.7
    assert claim["verdict"] == fixed["verdict"] == "reproduced"
    assert "% interval" in claim["reason"]
    assert "lies inside the claimed 50.00 % ± 20.00 %" in claim["reason"]
    assert set(claim["scopes"]) == {"fixed_set", "population"}
    assert (claim["claimed"], claim["margin"], claim["sesoi"]) == (0.5, 0.2, None)
    tiny = judged(predictions, replace(MAGNITUDE, claimed=0.034, margin=0.017))[0]
    assert tiny["verdict"] == "not reproduced"
    assert "lies outside the claimed 3.40 % ± 1.70 %" in tiny["reason"]


def test_a_number_is_compared_over_seeds_alone(predictions):
    background = Background(dataset="mosei", published=PUBLISHED)
    values = score(predictions).query("split == 'test' and metric == 'mae' and method == 'amb'")
    ours = values["value"].mean()
    claim = judged(predictions, NUMBER, background=background)[0]
    assert set(claim["scopes"]) == {"fixed_set"}
    assert claim["scopes"]["fixed_set"]["estimate"] == pytest.approx(0.5 - ours)
    assert claim["published"] == {
        "dataset": "mosei",
        "model": "MMIM (paper)",
        "value": 0.5,
        "source": "a source",
        "note": "a note",
        "relative_gain": 0.0,
        "target": 0.5,
        "ours": pytest.approx(ours),
    }
    assert claim["seeds"] == {"a": 5}
    assert {run["folder"].split("/")[1] for run in claim["runs"]} == {"amb"}
    assert "over the published MAE of MMIM (paper) on mosei, 0.500 is" in claim["reason"]
    better = judged(predictions, replace(NUMBER, relative_gain=0.034), background=background)[0]
    assert better["published"]["target"] == pytest.approx(0.483)
    assert "0.500 improved by 3.40 % to 0.483, is" in better["reason"]


def test_a_speed_is_a_ratio_on_named_hardware(predictions):
    background = Background(timings={("amb", "late"): TIMING})
    claim = judged(predictions, SPEED, background=background)[0]
    assert claim["verdict"] == "reproduced"
    assert list(claim["scopes"]) == ["this_hardware"]
    assert claim["scopes"]["this_hardware"]["estimate"] == pytest.approx(
        np.log([2, 2.1, 1.95]).mean()
    )
    assert claim["reason"].startswith(
        "On A processor (1 thread), training takes AMB 0.496 of the time of late an utterance"
    )
    assert (claim["runs"], claim["seeds"]) == ([], None)  # a timing trains for itself
    assert claim["timing"] == {
        **{"hardware": "A processor", "threads": 1, "steps": 10, "pairs": 3},
        "precision": {"a": "medium", "b": "high"},
    }


def test_a_family_is_corrected_over_kinds_within_a_scope(predictions):
    background = Background("mosei", PUBLISHED, {("amb", "late"): TIMING})
    claims = [named(c, c.kind) for c in (ORDERING, MAGNITUDE, NUMBER, SPEED)]
    ordering, *_, speed = judged(predictions, *claims, background=background)
    fixed = ordering["scopes"]["fixed_set"]
    assert fixed["p_adjusted"] == pytest.approx(3 * fixed["p"])  # the smallest of three
    population = ordering["scopes"]["population"]
    assert population["p_adjusted"] == pytest.approx(2 * population["p"])
    alone = speed["scopes"]["this_hardware"]
    assert alone["p_adjusted"] == alone["p"]


@pytest.mark.parametrize(
    ("claim", "background", "reason"),
    [
        (SPEED, None, "this study does not time training steps (statistics.speed)"),
        (NOISE, None, "this study has no corruption grid"),
        (NUMBER, None, "the claim is about mosei, this study's data are of no known data set"),
        (
            NUMBER,
            Background("mosi", PUBLISHED),
            "the claim is about mosei, this study's data are mosi",
        ),
        (NUMBER, Background("mosei"), "no published number of MMIM (paper) was given"),
        (replace(ORDERING, dataset="mosei"), Background("mosi"), "the claim is about mosei, this"),
        (replace(COUNT, b="gone"), None, "method gone is not in this study"),
    ],
)
def test_what_cannot_be_tested_says_why_and_is_no_part_of_its_family(
    predictions, claim, background, reason
):
    found, other = judged(predictions, claim, named(ORDERING, "other"), background=background)
    assert found["verdict"] == "not tested"
    assert found["reason"].startswith(f"not tested: {reason}")
    assert found["scopes"] == {}
    assert set(found) == set(other)
    fixed = other["scopes"]["fixed_set"]
    assert fixed["p_adjusted"] == fixed["p"]


def with_noise(predictions, loss):
    """Return predictions with two draws of each of three conditions, ``loss`` a method."""
    test = predictions[predictions["split"] == "test"]
    frames = [predictions]
    for kind, level in (("gaussian", "0"), ("gaussian", "1"), ("missing", "1")):
        for draw in (0, 1):
            noisy = test.assign(corruption=f"{kind}:audio:{level}:{draw}")
            shift = noisy["method"].map(loss) * float(level) * (1 + 0.1 * draw)
            sign = np.where(noisy["prediction"] >= noisy["label"], 1, -1)
            noisy["prediction"] += (sign * shift).astype("float32")
            frames.append(noisy)
    return pd.concat(frames, ignore_index=True)


LOSS = {"amb": 0.2, "late": 0.4, "zeta": 0.1}


def test_conditions_are_chosen_without_their_draws_and_level_zero_is_clean(predictions):
    noisy = with_noise(predictions, LOSS)
    assert conditions(noisy, "amb", "gaussian:*") == {
        "gaussian:audio:1": ["gaussian:audio:1:0", "gaussian:audio:1:1"]
    }
    assert set(conditions(noisy, "amb", "*")) == {"gaussian:audio:1", "missing:audio:1"}
    kept = retention(noisy, "amb", NOISE)
    assert kept["noisy"] - kept["clean"] == pytest.approx(0.21, abs=1e-6)
    assert kept["retention"] == pytest.approx(kept["clean"] / kept["noisy"])


def test_robustness_asks_for_the_effect_and_reports_what_is_kept(predictions, monkeypatch):
    asked = []

    def degradation_effect(frame, a, b, pattern, metric, scope, alpha):
        asked.append((a, b, pattern, metric, scope, alpha, len(frame)))
        return t_effect(0.05, 0.01**2, 8.0, alpha, "a test", SampleSizes(5, 3, 40, 8))

    monkeypatch.setattr(noise, "degradation_effect", degradation_effect)
    noisy = with_noise(predictions, LOSS)
    claim = judged(predictions, NOISE, background=Background(corrupted=noisy))[0]
    arguments = ("amb", "late", "gaussian:*", "mae")
    assert asked == [(*arguments, s, 0.05, len(noisy)) for s in ("fixed_set", "population")]
    assert claim["verdict"] == "reproduced"
    assert claim["retention"]["conditions"] == ["gaussian:audio:1"]
    assert 0 < claim["retention"]["b"]["retention"] < claim["retention"]["a"]["retention"] < 1
    assert "the loss of late in MAE exceeds that of AMB by 0.050" in claim["reason"]


def test_robustness_by_the_project_s_own_test(predictions):
    background = Background(corrupted=with_noise(predictions, LOSS))
    claim = judged(predictions, NOISE, background=background)[0]
    assert claim["scopes"]["fixed_set"]["estimate"] == pytest.approx(0.21, abs=1e-5)


def test_a_pattern_that_nothing_matches_is_not_tested(predictions):
    background = Background(corrupted=with_noise(predictions, LOSS))
    claim = judged(predictions, replace(NOISE, corruption="blur:*"), background=background)[0]
    assert claim["reason"] == "not tested: method amb has no predictions under blur:*"
    own = background.corrupted
    lacking = own[~((own["method"] == "late") & own["corruption"].str.startswith("missing"))]
    claim = judged(
        predictions, replace(NOISE, corruption="*"), background=Background(corrupted=lacking)
    )[0]
    assert claim["reason"].endswith(
        "only one of amb and late has predictions under missing:audio:1"
    )


ALL_OF = AllOfClaim(**WORDS, parts=("up", "small"))
UNITED = {"primary": "holm", "united": "intersection_union"}


def parts(*claims):
    return [replace(claim, family="united") for claim in claims]


def test_all_of_holds_where_every_part_does_without_correction(predictions):
    up, small = named(ORDERING, "up"), named(COUNT, "small")
    whole, part, count = judged(predictions, ALL_OF, *parts(up), small, families=UNITED)
    assert whole["verdict"] == "reproduced"
    assert whole["reason"] == "All 2 parts are reproduced, each at the level without correction."
    assert [p["id"] for p in whole["parts"]] == ["up", "small"]
    assert len(whole["runs"]) == 8  # of both parts, each once
    fixed = part["scopes"]["fixed_set"]
    assert fixed["p_adjusted"] == fixed["p"]
    assert set(whole) == set(part) == set(count)


@pytest.mark.parametrize(
    ("second", "verdict", "reason"),
    [
        (replace(ORDERING, a="late", b="amb"), "not reproduced", "second of 2 parts is not rep"),
        (replace(ORDERING, b="gone"), "not tested", "not tested: second of 2 parts is not tested"),
        (
            replace(ORDERING, sesoi=0.9),
            "real but smaller than claimed",
            "Of 2 parts, second is not shown in full.",
        ),
        (replace(ORDERING, a="zeta", b="amb", sesoi=5.0, form="difference"), None, ""),
    ],
)
def test_all_of_fails_with_its_weakest_part(predictions, second, verdict, reason):
    claims = parts(named(ORDERING, "up"), named(second, "second"))
    whole, _, part = judged(
        predictions, replace(ALL_OF, parts=("up", "second")), *claims, families=UNITED
    )
    assert whole["verdict"] == (verdict or part["verdict"])
    assert whole["reason"].startswith(reason)


def test_one_refuted_part_of_many_is_corrected_for_having_had_many_chances(simulate):
    """p against 0.02 to 0.05 for one of two parts: refuted alone, not as one of two."""
    predictions = simulate({"amb": (1, 4, 0.8), "late": (1, 4, 0.8)}, seed_spread=0.1)
    alone = judged(predictions, ORDERING)[0]["scopes"]["fixed_set"]
    both = judged(
        predictions,
        replace(ALL_OF, parts=("one", "two")),
        *parts(named(ORDERING, "one"), named(replace(ORDERING, metric="corr"), "two")),
        families=UNITED,
    )
    one, two = (claim["scopes"]["fixed_set"] for claim in both[1:])
    smaller = min((one, two), key=lambda s: s["p_not_reproduced"])
    assert smaller["p_not_reproduced_adjusted"] == pytest.approx(
        min(1, 2 * smaller["p_not_reproduced"])
    )
    assert one["p_adjusted"] == alone["p"]


def test_runs_carry_their_identity(predictions):
    background = Background(identities={("amb", 11): "ab" * 32})
    claim = judged(predictions, ORDERING, background=background)[0]
    assert claim["runs"][0] == {"folder": "runs/amb/seed11", "identity_sha256": "ab" * 32}
    assert claim["runs"][1]["identity_sha256"] is None
