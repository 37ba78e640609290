"""The contrast of two methods: a difference or a relative change, positive where ``a`` is better.

``A`` and ``B`` are means of a metric over the seeds of method ``a`` and ``b``. A gain is positive
whatever the metric's direction:

    form         error        accuracy
    difference   B − A        A − B
    relative     1 − A/B      A/B − 1

Source: statistics.md of this project ("Estimand and primary tests").
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from amb.evaluation.metrics import Floats

Form = Literal["difference", "relative"]


def contrast(a: ArrayLike, b: ArrayLike, form: Form, higher_is_better: bool) -> Floats:
    """Return the oriented contrast of seed-mean metrics.

    Args:
        a: (...) seed-mean metric of the method in question.
        b: (...) seed-mean metric of the method that it is compared with.
        form: Difference or relative change.
        higher_is_better: Direction of the metric.

    Returns:
        (...) the contrast, positive where ``a`` is better. A relative change against ``b`` ≤ 0 (a
        negative Corr, a zero accuracy) means nothing and is NaN.
    """
    A, B = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    sign = 1.0 if higher_is_better else -1.0
    if form == "difference":
        return np.asarray(sign * (A - B))
    return np.asarray(sign * (A / np.where(B > 0, B, np.nan) - 1.0))


def contrast_gradient(
    a: float, b: float, form: Form, higher_is_better: bool
) -> tuple[float, float]:
    """Return the contrast's derivatives with respect to ``a`` and ``b``, for the delta method.

    Args:
        a: Seed-mean metric of the method in question.
        b: Seed-mean metric of the method that it is compared with.
        form: Difference or relative change.
        higher_is_better: Direction of the metric.

    Returns:
        (∂θ/∂a, ∂θ/∂b); NaN where the contrast is.
    """
    sign = 1.0 if higher_is_better else -1.0
    if form == "difference":
        return sign, -sign
    if not b > 0:
        return float("nan"), float("nan")
    return sign / b, -sign * a / b**2
