"""How each metric is named, scaled and directed in print."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricDisplay:
    """One metric in print.

    Attributes:
        name: Its name in the frames.
        label: Its name in print.
        higher_is_better: Its direction.
        percent: Whether its values are fractions, printed as percentages.
    """

    name: str
    label: str
    higher_is_better: bool
    percent: bool

    @property
    def scale(self) -> float:
        """Factor from the frames' values to the printed ones."""
        return 100.0 if self.percent else 1.0

    @property
    def decimals(self) -> int:
        """Decimals where no interval decides."""
        return 1 if self.percent else 3

    @property
    def heading(self) -> str:
        """Label with unit and direction, as a column's heading."""
        arrow = "↑" if self.higher_is_better else "↓"
        return f"{self.label}, % {arrow}" if self.percent else f"{self.label} {arrow}"

    @property
    def direction(self) -> str:
        """The direction in words."""
        return "higher is better" if self.higher_is_better else "lower is better"


@dataclass(frozen=True)
class EffectUnit:
    """What an effect is counted in: ``scale`` from the frames' value, ``suffix`` in print."""

    scale: float
    suffix: str
    decimals: int


_METRICS = (
    MetricDisplay("mae", "MAE", False, False),
    MetricDisplay("corr", "Corr", True, False),
    MetricDisplay("acc7", "Acc-7", True, True),
    MetricDisplay("acc5", "Acc-5", True, True),
    MetricDisplay("acc2_has0", "Acc-2 (has 0)", True, True),
    MetricDisplay("acc2_non0", "Acc-2 (non-0)", True, True),
    MetricDisplay("f1_has0", "F1 (has 0)", True, True),
    MetricDisplay("f1_non0", "F1 (non-0)", True, True),
)
METRICS = {metric.name: metric for metric in _METRICS}


def effect_unit(metric: MetricDisplay, form: str) -> EffectUnit:
    """Return the unit of a contrast of ``metric``: %, percentage points or the metric's own.

    Args:
        metric: The metric that is contrasted.
        form: ``relative`` or ``difference``.

    Returns:
        The unit.
    """
    if form == "relative":
        return EffectUnit(100.0, " %", 1)
    return EffectUnit(metric.scale, " pp" if metric.percent else "", metric.decimals)
