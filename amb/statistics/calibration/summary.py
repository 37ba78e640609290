"""From counts to rates with their errors, and whether a test keeps what the suite promises of it.

A rate is *above* or *below* the band .035 to .065 only if it is beyond it by more than its own
Monte-Carlo error, 1.96 standard errors. (Hundreds of rates are judged at once: with one standard
error, some would be out by chance.) Which of that is a fault depends on the promise, and a test is
judged only at the scope whose question it answers:

- ``level``: it must not reject a true null too often. *Above* is a fault; *below* costs power only
  and is called *conservative*.
- ``band``: it must reject as often as it says. *Below* is a fault too, with two exceptions, both on
  the safe side and both *conservative*. With three seeds, Welch's degrees of freedom are too few.
  And where the noise of a run on a video is more than a quarter of the variance (V_cell / V): it is
  in V_seed and in V_vid, is subtracted once, and V never goes below the larger of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from amb.statistics.calibration.procedures import PROCEDURES

BAND = (0.035, 0.065)  # at nominal .05
STANDARD_ERRORS = 1.96  # by which a rate must be beyond the band
FEWEST_SEEDS = 5  # from which on the lower end of the band is promised
LARGEST_CELL_SHARE = 1 / 4  # of V_cell in V, up to which the lower end of the band is promised
IN_BAND, ABOVE, BELOW = "in band", "above", "below"
CONSERVATIVE, NOT_JUDGED = "conservative", "not judged"
FAULTS = (ABOVE, BELOW)

COLUMNS = [
    *("items", "videos", "seeds", "components", "metric", "form", "test", "null", "replicates"),
    *("undefined", "rejection_rate", "standard_error", "coverage", "coverage_error"),
    *("cell_share", "promise", "in_band", "verdict"),
]


def calibration_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return rates, errors and verdicts.

    Args:
        rows: Counts, as ``run.calibrate`` returns them.

    Returns:
        ``COLUMNS``, one row a cell and test. ``null`` is the scope at which the null is true;
        ``coverage`` the share of intervals that hold the true contrast, NaN for a test without
        intervals; ``cell_share`` is V_cell / (V_seed + V_vid − V_cell); ``promise`` is "" where
        the test is not judged.
    """
    counts = pd.DataFrame(rows)
    rate = _share(counts["rejected"], counts["replicates"])
    coverage = _share(counts["covered"], counts["intervals"])
    variance = counts["v_seed"] + counts["v_video"] - counts["v_cell"]
    table = counts.assign(
        rejection_rate=rate,
        standard_error=_error(counts["rejected"], counts["replicates"]),
        coverage=coverage,
        coverage_error=_error(counts["covered"], counts["intervals"]),
        cell_share=counts["v_cell"] / variance,
        promise=[_promise(test, null) for test, null in zip(counts.test, counts.null, strict=True)],
    )
    inside = table["rejection_rate"].between(*BAND)
    verdicts = _verdicts(table, STANDARD_ERRORS)
    return table.assign(in_band=inside, verdict=verdicts)[COLUMNS]


def count_faults(table: pd.DataFrame, standard_errors: float) -> int:
    """Return how many rates would break a promise with another margin, in standard errors."""
    return sum(name in FAULTS for name in _verdicts(table, standard_errors))


def verdict(
    rate: float,
    error: float,
    seeds: int,
    cell_share: float,
    promise: str,
    standard_errors: float = STANDARD_ERRORS,
) -> str:
    """Judge one rejection rate.

    Args:
        rate: Rejection rate at nominal .05.
        error: Its Monte-Carlo standard error.
        seeds: Number of seeds a method.
        cell_share: V_cell / V.
        promise: ``band``, ``level``, or "" for a test that is not judged here.
        standard_errors: By how many the rate must be beyond the band.

    Returns:
        ``IN_BAND``, ``ABOVE``, ``BELOW``, ``CONSERVATIVE`` or ``NOT_JUDGED``.
    """
    if promise == "":
        return NOT_JUDGED
    low, high = BAND
    margin = standard_errors * error
    if rate - margin > high:
        return ABOVE
    if rate + margin < low:
        promised = seeds >= FEWEST_SEEDS and cell_share <= LARGEST_CELL_SHARE
        return BELOW if promise == "band" and promised else CONSERVATIVE
    return IN_BAND


def _verdicts(table: pd.DataFrame, standard_errors: float) -> list[str]:
    cells = zip(
        *(table["rejection_rate"], table["standard_error"]),
        *(table["seeds"], table["cell_share"], table["promise"]),
        strict=True,
    )
    return [verdict(*cell, standard_errors) for cell in cells]


def _share(part: pd.Series[int], whole: pd.Series[int]) -> pd.Series[float]:
    return part / whole.where(whole > 0)


def _error(part: pd.Series[int], whole: pd.Series[int]) -> pd.Series[float]:
    """Return the standard error of a share, above 0 even where nothing was counted.

    Source: A. Agresti, B. A. Coull, The American Statistician 52 (1998) 119: two more of each.
    """
    count = whole.where(whole > 0) + 4
    share = (part + 2) / count
    variance = share * (1 - share) / count
    return variance**0.5


def _promise(test: str, null: str) -> str:
    one = next(procedure for procedure in PROCEDURES if procedure.name == test)
    return one.promise if one.scope == null else ""
