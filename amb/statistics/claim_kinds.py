"""The kinds of claims, as what a claims file says of each.

``dataset`` binds a claim to one data set: in a study of other data it is not tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from amb.statistics.contrast import Form


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """What every claim says: who claims what where, and of which data set if of one alone."""

    id: str
    statement: str
    source: dict[str, str]
    dataset: str | None = None


@dataclass(frozen=True, kw_only=True)
class _OfTwoRows(_Claim):
    """A claim about two rows of the study."""

    a: str
    b: str


@dataclass(frozen=True, kw_only=True)
class _OfAMetric(_OfTwoRows):
    """A claim that a metric of two rows decides, at both scopes, in a family of claims."""

    metric: str
    headline_scope: str
    family: str


@dataclass(frozen=True, kw_only=True)
class OrderingClaim(_OfAMetric):
    """``a`` is better than ``b`` on ``metric``, by at least ``sesoi`` where that is to matter."""

    form: Form
    sesoi: float
    kind: Literal["ordering"] = "ordering"


@dataclass(frozen=True, kw_only=True)
class MagnitudeClaim(_OfAMetric):
    """``a`` is better than ``b`` by ``claimed``, give or take ``margin``."""

    form: Form
    claimed: float
    margin: float
    kind: Literal["magnitude"] = "magnitude"


@dataclass(frozen=True, kw_only=True)
class NoninferiorityClaim(_OfAMetric):
    """Under ``corruption`` of its inputs, ``a`` loses no more than ``b`` does plus ``margin``."""

    corruption: str
    margin: float
    kind: Literal["noninferiority"] = "noninferiority"


@dataclass(frozen=True, kw_only=True)
class NumberClaim(_Claim):
    """``a`` reaches a published number, or the one that a relative gain over it implies.

    Attributes:
        a: The row.
        metric: The metric.
        dataset: Data set of the published number.
        model: The system that it was published for.
        relative_gain: Share by which the published number is to be improved; 0 for itself.
        margin: How much worse still counts as the same, in the metric's unit.
        family: Its family.
        headline_scope: Always the fixed set: only our seeds are known to vary.
        kind: ``number``.
    """

    a: str
    metric: str
    dataset: str
    model: str
    relative_gain: float
    margin: float
    family: str
    headline_scope: str = "fixed_set"
    kind: Literal["number"] = "number"


@dataclass(frozen=True, kw_only=True)
class SpeedClaim(_OfTwoRows):
    """A training step of ``a`` takes less time than one of ``b``, by ``sesoi`` to matter.

    ``sesoi`` is a share of the time of ``b``.
    """

    sesoi: float
    family: str
    headline_scope: str = "this_hardware"
    kind: Literal["speed"] = "speed"


@dataclass(frozen=True, kw_only=True)
class CountClaim(_OfTwoRows):
    """``quantity`` of ``a`` is less than ``threshold`` times that of ``b``."""

    quantity: str
    threshold: float
    kind: Literal["count"] = "count"


@dataclass(frozen=True, kw_only=True)
class AllOfClaim(_Claim):
    """All of other claims hold: an intersection-union test."""

    parts: tuple[str, ...]
    kind: Literal["all_of"] = "all_of"


# Claims with an effect, an interval and a family.
TestedClaim = OrderingClaim | MagnitudeClaim | NumberClaim | NoninferiorityClaim | SpeedClaim
Claim = TestedClaim | CountClaim | AllOfClaim


def rows_of(claim: Claim) -> dict[str, str]:
    """Return the study's rows that a claim is about, by the names a and b."""
    named = {side: getattr(claim, side, None) for side in ("a", "b")}
    return {side: name for side, name in named.items() if name is not None}
