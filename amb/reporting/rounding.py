"""How numbers are rounded for print: an interval's width decides its own digits and the mean's.

Nothing upstream rounds; nothing downstream computes with what is rounded here.
"""

from __future__ import annotations

import math

MAX_DECIMALS = 6
ROUNDING = 1e-12
MISSING = "—"
UNDEFINED = "undefined"


def decimals_for(half_width: float) -> int:
    """Return how many decimals an interval's half-width deserves.

    Two significant digits where the three leading digits are 100 to 354, else one; 950 to 999
    round up to 1000 and so show two again. Between 0 and ``MAX_DECIMALS``.

    Args:
        half_width: Half the interval's width, positive and finite.

    Returns:
        The number of decimals.

    Raises:
        ValueError: ``half_width`` is not positive and finite.

    Source: Particle Data Group, Review of Particle Physics, Introduction, "Rounding".
    """
    if not (half_width > 0 and math.isfinite(half_width)):
        raise ValueError(f"half_width must be positive and finite, found {half_width}")
    exponent = math.floor(math.log10(half_width))
    leading = round(half_width / 10.0 ** (exponent - 2))
    decimals = 1 - exponent if leading <= 354 else -exponent
    return min(max(decimals, 0), MAX_DECIMALS)


def decimals_of_interval(low: float, high: float, fallback: int) -> int:
    """Return the decimals of an effect's interval: two significant digits of its half-width.

    Bounds are held against zero, and one digit would often hide on which side they lie.

    Args:
        low: Lower bound.
        high: Upper bound.
        fallback: Decimals where the interval is missing or has no width.

    Returns:
        The number of decimals, between 0 and ``MAX_DECIMALS``.
    """
    half_width = (high - low) / 2
    if not (half_width > 0 and math.isfinite(half_width)):
        return fallback
    exponent = math.floor(math.log10(float(f"{half_width:.1e}")))
    return min(max(1 - exponent, 0), MAX_DECIMALS)


def format_number(value: float, decimals: int, signed: bool = False) -> str:
    """Return ``value`` with a true minus sign; "undefined" where it is not a finite number.

    Args:
        value: The number.
        decimals: Digits after the point.
        signed: Print the sign of positive numbers too. The sign is that of the unrounded value,
            so a bound just above zero reads +0.00 and one just below −0.00.

    Returns:
        The text.
    """
    if not math.isfinite(value):
        return UNDEFINED
    digits = f"{abs(value):.{decimals}f}"
    if signed:
        return {-1: "−", 0: "", 1: "+"}[(value > 0) - (value < 0)] + digits
    return f"−{digits}" if value < 0 and float(digits) else digits


def format_mean(mean: float, half_width: float, fallback: int) -> str:
    """Return "mean ± half-width", the half-width deciding the decimals of both.

    Args:
        mean: The mean over seeds; not finite prints "undefined".
        half_width: Half the interval's width; NaN (fewer than two seeds) prints "± —".
        fallback: Decimals of the mean where the half-width is zero or missing.

    Returns:
        The text.
    """
    if not math.isfinite(mean):
        return UNDEFINED
    if not math.isfinite(half_width):
        return f"{format_number(mean, fallback)} ± {MISSING}"
    if half_width <= ROUNDING * abs(mean):  # equal runs, but for the last bits of their mean
        return f"{format_number(mean, fallback)} ± 0"
    if half_width < 10.0**-MAX_DECIMALS:
        return f"{format_number(mean, MAX_DECIMALS)} ± <{10.0**-MAX_DECIMALS:.{MAX_DECIMALS}f}"
    decimals = decimals_for(half_width)
    return f"{format_number(mean, decimals)} ± {format_number(half_width, decimals)}"


def format_interval(low: float, high: float, decimals: int) -> str:
    """Return "+0.01 to +0.05", or a dash where a bound is missing."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"{format_number(low, decimals, True)} to {format_number(high, decimals, True)}"


def format_p(p: float, alpha: float) -> str:
    """Return a p-value with three decimals, or more where three would move it across ``alpha``.

    Args:
        p: The p-value; NaN (no test was possible) prints a dash.
        alpha: The significance level that the reader compares it with.

    Returns:
        The text.
    """
    if not math.isfinite(p):
        return MISSING
    if p < 0.001 <= alpha:
        return "<0.001"
    decimals = 3
    while decimals < MAX_DECIMALS + 3 and (float(f"{p:.{decimals}f}") < alpha) != (p < alpha):
        decimals += 1
    return f"{p:.{decimals}f}"


def format_count(count: float) -> str:
    """Return a count with three significant digits and k, M or B: 22713216 is 22.7 M."""
    if not math.isfinite(count):
        return MISSING
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        scaled = count / limit
        if scaled >= 0.9995:
            decimals = 0 if scaled >= 99.95 else 1 if scaled >= 9.995 else 2
            return f"{scaled:.{decimals}f} {unit}"
    return str(int(count))


def format_significant(value: float, digits: int = 3) -> str:
    """Return a positive measurement without an interval: 11.6, 1370, 0.0219; a dash where missing.

    Args:
        value: The measurement, at least 0.
        digits: How many significant digits it has after rounding; all of a larger whole part stay.

    Returns:
        The text.
    """
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    decimals = digits - 1 - math.floor(math.log10(rounded))
    return f"{value:.{min(max(decimals, 0), MAX_DECIMALS)}f}"
