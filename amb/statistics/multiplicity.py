"""Corrections for testing several hypotheses at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from amb.evaluation.metrics import Floats

# Names in claims files, and those of statsmodels.
CORRECTIONS = {"holm": "holm", "bh": "fdr_bh"}


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
    adjusted = np.full(p.shape, np.nan)
    if tested.any():
        # Imported here: it takes a second, which whoever only renders need not pay.
        from statsmodels.stats.multitest import multipletests

        # Keep out of loops: statsmodels collects garbage in it, tens of milliseconds a call.
        adjusted[tested] = multipletests(p[tested], method=CORRECTIONS[correction])[1]
    return adjusted
