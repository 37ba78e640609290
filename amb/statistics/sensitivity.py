"""The sensitivity table: every method against the reference, by other means than the verdicts'.

What a reader may ask for beside the two registered tests: the crossed bootstrap's intervals, the
label permutation's p-value, the probability of superiority, almost stochastic order, the
standardised difference and the expected best run. None of it has a say in a verdict or a star.

Random numbers come from ``SEED`` and from the names of method and metric, so that the table is the
same every time, and a further method or metric changes no number but the confidence of ASO, which
depends on how many comparisons there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from amb.errors import InputError
from amb.evaluation.method_runs import runs_by_method
from amb.evaluation.metrics import METRICS, Floats
from amb.statistics.crossed_bootstrap import (
    BootstrapInterval,
    crossed_bootstrap_ci,
    resample_metrics,
)
from amb.statistics.expected_maximum import expected_best
from amb.statistics.label_permutation import label_permutation_test
from amb.statistics.moments import metric_table, moment_table
from amb.statistics.standardised_difference import standardised_difference
from amb.statistics.stochastic_order import almost_stochastic_order
from amb.statistics.superiority import probability_of_superiority
from amb.study import StatisticsSettings

SEED = 221200678  # the paper's number, arXiv 2212.00678

SENSITIVITY_COLUMNS = [
    *("metric", "method", "reference", "form", "higher_is_better", "estimate"),
    *("percentile_low", "percentile_high", "basic_low", "basic_high", "resamples"),
    *("permutation_p", "permutation_smallest_p", "permutation_exact"),
    *("superiority", "superiority_low", "superiority_high"),
    *("aso_epsilon", "aso_epsilon_min", "aso_confidence", "cohens_d", "hedges_g"),
    *("best_of", "expected_best", "expected_best_reference"),
    *("seeds", "seeds_reference", "n_items", "n_videos", "note"),
]


@dataclass(frozen=True)
class _Pair:
    """The runs of a method and of the reference, in one metric."""

    metric: str
    method: str
    own: Floats
    reference: Floats


def sensitivity(predictions: pd.DataFrame, settings: StatisticsSettings) -> pd.DataFrame:
    """Compare every method with the reference on the test split, by other means.

    Args:
        predictions: Frame of ``read_predictions``, rows in any order.
        settings: Reference, metrics and level.

    Returns:
        ``SENSITIVITY_COLUMNS``, rows by metric in the order of the settings, then by method.
        Contrasts are differences, positive where the method is better; nothing is corrected but
        the confidence of ASO, over all rows. ``best_of`` is the number of runs that both methods
        have, ``expected_best`` the best of so many. ``note`` says what is undefined, and why.

    Raises:
        InputError: The reference has no predictions.
    """
    moments = {name: moment_table(runs) for name, runs in runs_by_method(predictions).items()}
    if settings.reference not in moments:
        raise InputError("predictions", "method", ", ".join(moments), settings.reference)
    others = [name for name in moments if name != settings.reference]
    if not others:
        return pd.DataFrame(columns=SENSITIVITY_COLUMNS)
    rng = np.random.default_rng(SEED)
    resampled = resample_metrics(list(moments.values()), settings.metrics, rng)
    rows = []
    for metric in settings.metrics:
        values = {name: metric_table(table, metric).values for name, table in moments.items()}
        for method in others:
            pair = _Pair(metric, method, values[method], values[settings.reference])
            interval = crossed_bootstrap_ci(
                resampled, method, settings.reference, metric, alpha=settings.alpha
            )
            rows.append(
                {
                    "metric": metric,
                    "method": method,
                    "reference": settings.reference,
                    "form": "difference",
                    "higher_is_better": METRICS[metric].higher_is_better,
                    **_by_bootstrap(interval),
                    **_over_seeds(pair, settings.alpha, len(others) * len(settings.metrics)),
                }
            )
            rows[-1]["note"] = _joined(interval.note, str(rows[-1]["note"]))
    return pd.DataFrame(rows, columns=SENSITIVITY_COLUMNS)


def _by_bootstrap(interval: BootstrapInterval) -> dict[str, object]:
    return {
        "estimate": interval.estimate,
        "percentile_low": interval.percentile[0],
        "percentile_high": interval.percentile[1],
        "basic_low": interval.basic[0],
        "basic_high": interval.basic[1],
        "resamples": interval.resamples,
        "seeds": interval.sizes.seeds_a,
        "seeds_reference": interval.sizes.seeds_b,
        "n_items": interval.sizes.n_items,
        "n_videos": interval.sizes.n_videos,
    }


def _over_seeds(pair: _Pair, alpha: float, comparisons: int) -> dict[str, object]:
    """Return what the runs of both methods say by themselves."""
    a, b, higher = pair.own, pair.reference, METRICS[pair.metric].higher_is_better
    rng = np.random.default_rng([SEED, *pair.metric.encode(), 0, *pair.method.encode()])
    named = label_permutation_test(a, b, rng, alpha)
    superior = probability_of_superiority(a, b, higher_is_better=higher, alpha=alpha)
    order = almost_stochastic_order(
        a, b, rng, higher_is_better=higher, alpha=alpha, comparisons=comparisons
    )
    standardised = standardised_difference(a, b, higher_is_better=higher)
    few = min(a.size, b.size)
    best, best_reference = (expected_best(v, higher_is_better=higher)[few - 1] for v in (a, b))
    return {
        "permutation_p": named.p,
        "permutation_smallest_p": named.smallest_p,
        "permutation_exact": named.exact,
        "superiority": superior.probability,
        "superiority_low": superior.ci_low,
        "superiority_high": superior.ci_high,
        "aso_epsilon": order.epsilon,
        "aso_epsilon_min": order.epsilon_min,
        "aso_confidence": order.confidence,
        "cohens_d": standardised.cohens_d,
        "hedges_g": standardised.hedges_g,
        "best_of": few,
        "expected_best": best,
        "expected_best_reference": best_reference,
        "note": _joined(named.note, superior.note, order.note, standardised.note),
    }


def _joined(*notes: str) -> str:
    """Return the notes, each once, as one text."""
    return "; ".join(dict.fromkeys(note for note in notes if note))
