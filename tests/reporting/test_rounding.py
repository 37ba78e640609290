import math

import pytest

from amb.reporting.rounding import (
    decimals_for,
    decimals_of_interval,
    format_count,
    format_interval,
    format_mean,
    format_number,
    format_p,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("half_width", "decimals"),
    [
        (0.0123, 3),  # 123: two digits, 0.012
        (0.0354, 3),  # 354: two digits, 0.035
        (0.0355, 2),  # 355: one digit, 0.04
        (0.0949, 2),  # 949: one digit, 0.09
        (0.0951, 2),  # 951: rounds up to two digits, 0.10
        (0.00096, 4),
        (1.2, 1),
        (7.0, 0),
        (250.0, 0),
        (1e-9, 6),
    ],
)
def test_half_width_decides_the_decimals(half_width, decimals):
    assert decimals_for(half_width) == decimals


@pytest.mark.parametrize("half_width", [0.0, -1.0, NAN, math.inf])
def test_decimals_need_a_width(half_width):
    with pytest.raises(ValueError, match="positive and finite"):
        decimals_for(half_width)


@pytest.mark.parametrize(
    ("mean", "half_width", "text"),
    [
        (0.71249, 0.0123, "0.712 ± 0.012"),
        (0.71249, 0.0456, "0.71 ± 0.05"),
        (0.7, 0.00097, "0.7000 ± 0.0010"),
        (46.34, 3.9, "46 ± 4"),
        (0.71249, NAN, "0.712 ± —"),
        (0.71249, 0.0, "0.712 ± 0"),
        (0.5, 1e-9, "0.500000 ± <0.000001"),
        (NAN, 0.1, "undefined"),
        (-0.0001, 0.02, "0.000 ± 0.020"),
    ],
)
def test_mean_is_rounded_by_its_interval(mean, half_width, text):
    assert format_mean(mean, half_width, fallback=3) == text


def test_bounds_keep_the_side_of_zero_they_are_on():
    assert format_interval(0.0004, 0.02, 2) == "+0.00 to +0.02"
    assert format_interval(-0.0004, 0.02, 2) == "−0.00 to +0.02"
    assert format_interval(NAN, 0.02, 2) == "—"


def test_effect_intervals_have_two_significant_digits():
    assert decimals_of_interval(-0.5, 0.5, fallback=9) == 2
    assert decimals_of_interval(0.0, 0.0199, fallback=9) == 3  # half-width 0.00995, to 0.010
    assert decimals_of_interval(NAN, NAN, fallback=9) == 9


def test_undefined_is_never_printed_as_a_number():
    assert format_number(NAN, 3) == "undefined"
    assert format_number(math.inf, 3) == "undefined"


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.2, "0.200"),
        (0.0004, "<0.001"),
        (0.04996, "0.04996"),  # 0.050 would read as not significant
        (0.05, "0.050"),
        (1.0, "1.000"),
        (NAN, "—"),
    ],
)
def test_p_value_stays_on_its_side_of_alpha(p, text):
    assert format_p(p, alpha=0.05) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(999, "999"), (612_480, "612 k"), (22_713_216, "22.7 M"), (999_900, "1.00 M"), (NAN, "—")],
)
def test_counts_have_three_significant_digits(count, text):
    assert format_count(count) == text


def test_runs_that_are_equal_but_for_rounding_have_no_interval():
    assert format_mean(23.333333333333336, 3.6e-15, fallback=1) == "23.3 ± 0"
