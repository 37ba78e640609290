"""The two scopes of every comparison, always reported together and never confused.

``fixed_set`` asks whether an ordering reproduces on the benchmark's own items; ``population``
whether a method is better. Seeds-only tests reject a true null of the second question far too
often, and tests of both far too rarely find what holds on the benchmark.
"""

from __future__ import annotations

from amb.evaluation.metrics import METRICS
from amb.statistics.contrast import Form
from amb.statistics.effect import Effect
from amb.statistics.fixed_set import fixed_set_test
from amb.statistics.moments import MetricTable
from amb.statistics.population import population_test

SCOPES = ("fixed_set", "population")


def effect_in_scope(
    scope: str, a: MetricTable, b: MetricTable, metric: str, form: Form, alpha: float
) -> Effect:
    """Test one contrast in one scope.

    Args:
        scope: One of ``SCOPES``.
        a: Metric of the method in question.
        b: Metric of the method that it is compared with.
        metric: Name of the metric, for its direction.
        form: Difference or relative change.
        alpha: Two-sided significance level.

    Returns:
        The effect, positive where ``a`` is better.
    """
    higher = METRICS[metric].higher_is_better
    if scope == "population":
        return population_test(a, b, higher_is_better=higher, form=form, alpha=alpha)
    return fixed_set_test(
        a.values,
        b.values,
        higher_is_better=higher,
        form=form,
        alpha=alpha,
        n_items=a.n_items,
        n_videos=a.videos.size,
    )
