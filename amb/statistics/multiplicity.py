"""Corrections for testing several hypotheses at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from amb.evaluation.metrics import Floats


def holm_correction(p_values: ArrayLike) -> Floats:
    """Return Holm-adjusted p-values, (m,) -> (m,), in the order of the input.

    Source: S. Holm, Scandinavian Journal of Statistics 6 (1979) 65.
    """
    return adjust(p_values, "holm")


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted for the false discovery rate, (m,) -> (m,), in the input's order.

    For exploratory grids. It holds for independent or positively dependent tests, and bounds the
    expected share of false discoveries, not the chance of one.

    Source: Y. Benjamini, Y. Hochberg, Journal of the Royal Statistical Society B 57 (1995) 289.
    """
    return adjust(p_values, "bh")


def adjust(p_values: ArrayLike, correction: str) -> Floats:
    """Adjust the p-values of one family.

    Args:
        p_values: (m,) in any order; NaN marks a hypothesis that could not be tested.
        correction: ``holm`` (family-wise error) or ``bh`` (Benjamini-Hochberg, false discoveries).

    Returns:
        (m,) adjusted p-values, each at the place of its own hypothesis. NaN stays NaN and does not
        count as a test.
    """
    p = np.asarray(p_values, dtype=np.float64)
    tested = ~np.isnan(p)
    order = np.argsort(p[tested])
    stepped = np.empty(order.size)
    stepped[order] = CORRECTIONS[correction](p[tested][order])
    adjusted = np.full(p.shape, np.nan)
    adjusted[tested] = np.minimum(stepped, 1.0)
    return adjusted


def _step_down(p: Floats) -> Floats:
    """Holm: sorted p (m,) times the number of hypotheses that are left, never falling."""
    return np.maximum.accumulate(p * np.arange(p.size, 0, -1))


def _step_up(p: Floats) -> Floats:
    """Benjamini-Hochberg: sorted p (m,) over the share of hypotheses so far, never falling."""
    shares = np.arange(1, p.size + 1) / p.size
    return np.minimum.accumulate((p / shares)[::-1])[::-1]


# Names in claims files. Not statsmodels' multipletests, whose numbers these are to the bit: it
# takes more than a second to import, and collects garbage in every call, a tenth of a second.
CORRECTIONS = {"holm": _step_down, "bh": _step_up}
