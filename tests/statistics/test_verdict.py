"""Verdicts follow the interval, and Holm corrects both directions as families of their own."""

import numpy as np
import pytest

from amb.statistics.effect import SampleSizes, t_effect, untestable
from amb.statistics.verdict import ordering_verdicts

SIZES = SampleSizes(5, 5, 100, 10)


def effect(estimate, se=0.01, df=20.0):
    return t_effect(estimate, se**2, df, 0.05, "Welch t over seeds", SIZES)


@pytest.mark.parametrize(
    ("estimate", "se", "verdict"),
    [
        (0.05, 0.01, "reproduced"),
        (-0.05, 0.01, "not reproduced"),
        (0.0, 0.01, "inconclusive"),
        (0.01, 0.002, "real but smaller than claimed"),
        (0.03, 0.02, "inconclusive"),
    ],
)
def test_the_four_verdicts_on_a_single_claim(estimate, se, verdict):
    assert ordering_verdicts([effect(estimate, se)], [0.02], 0.05)[0].verdict == verdict


def test_with_one_claim_the_verdict_is_exactly_that_of_the_interval():
    rng = np.random.default_rng(0)
    for _ in range(200):
        found = effect(rng.normal(0.01, 0.02), rng.uniform(0.001, 0.02), rng.uniform(1, 30))
        above, below = found.ci_low > 0, found.ci_high < 0.02
        expected = {
            (True, True): "real but smaller than claimed",
            (True, False): "reproduced",
            (False, True): "not reproduced",
            (False, False): "inconclusive",
        }[bool(above), bool(below)]
        assert ordering_verdicts([found], [0.02], 0.05)[0].verdict == expected


def test_the_p_value_of_a_gain_is_the_two_sided_one_where_the_estimate_is_positive():
    up, down = ordering_verdicts([effect(0.015), effect(-0.015)], [0.02, 0.02], 0.05)
    assert up.p_reproduced == pytest.approx(effect(0.015).p)
    assert down.p_reproduced == 1.0
    assert down.p_not_reproduced == pytest.approx(effect(-0.035).p)


def test_both_directions_are_corrected_as_families_of_their_own():
    """Unsorted: two marginal gains, one clear loss, one clear gain."""
    effects = [effect(0.0215), effect(-0.05), effect(0.08), effect(0.0212)]
    verdicts = ordering_verdicts(effects, [0.02] * 4, 0.05)
    # The gains' p-values: .044, 1, <.001, .047. Holm takes the marginal ones: 3 · .044 > .05.
    assert [v.verdict for v in verdicts] == [
        "inconclusive",
        "not reproduced",
        "reproduced",
        "inconclusive",
    ]
    assert verdicts[0].p_reproduced_adjusted == pytest.approx(3 * verdicts[0].p_reproduced)
    assert verdicts[1].p_not_reproduced_adjusted == pytest.approx(4 * verdicts[1].p_not_reproduced)
    alone = ordering_verdicts(effects[:1], [0.02], 0.05)[0]
    assert alone.verdict == "reproduced"


def test_an_untestable_claim_is_inconclusive_and_no_part_of_its_family():
    nothing = untestable(0.5, 0.05, "Welch t over seeds", SIZES, "a method has one seed")
    verdicts = ordering_verdicts([nothing, effect(0.0215)], [0.02, 0.02], 0.05)
    assert [v.verdict for v in verdicts] == ["inconclusive", "reproduced"]
    assert np.isnan(verdicts[0].p_reproduced)
    assert np.isnan(verdicts[0].p_not_reproduced_adjusted)
