"""The kinds of claims, as what a claims file says of each.

``dataset`` binds a claim to one data set: in a study of other data it is not tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from amb.statistics.contrast import Form


@dataclass(frozen=True)
class OrderingClaim:
    """``a`` is better than ``b`` on ``metric``, by at least ``sesoi`` where that is to matter."""

    id: str
    statement: str
    source: dict[str, str]
    a: str
    b: str
    metric: str
    form: Form
    sesoi: float
    headline_scope: str
    family: str
    dataset: str | None = None
    kind: Literal["ordering"] = "ordering"


@dataclass(frozen=True)
class MagnitudeClaim:
    """``a`` is better than ``b`` by ``claimed``, give or take ``margin``."""

    id: str
    statement: str
    source: dict[str, str]
    a: str
    b: str
    metric: str
    form: Form
    claimed: float
    margin: float
    headline_scope: str
    family: str
    dataset: str | None = None
    kind: Literal["magnitude"] = "magnitude"


@dataclass(frozen=True)
class NumberClaim:
    """``a`` reaches a published number, or the one that a relative gain over it implies.

    Attributes:
        id: Its name.
        statement: What is claimed.
        source: Where.
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

    id: str
    statement: str
    source: dict[str, str]
    a: str
    metric: str
    dataset: str
    model: str
    relative_gain: float
    margin: float
    family: str
    headline_scope: str = "fixed_set"
    kind: Literal["number"] = "number"


@dataclass(frozen=True)
class NoninferiorityClaim:
    """Under ``corruption`` of its inputs, ``a`` loses no more than ``b`` does plus ``margin``."""

    id: str
    statement: str
    source: dict[str, str]
    a: str
    b: str
    metric: str
    corruption: str
    margin: float
    headline_scope: str
    family: str
    dataset: str | None = None
    kind: Literal["noninferiority"] = "noninferiority"


@dataclass(frozen=True)
class SpeedClaim:
    """A training step of ``a`` takes less time than one of ``b``, by ``sesoi`` to matter.

    ``sesoi`` is a share of the time of ``b``.
    """

    id: str
    statement: str
    source: dict[str, str]
    a: str
    b: str
    sesoi: float
    family: str
    dataset: str | None = None
    headline_scope: str = "this_hardware"
    kind: Literal["speed"] = "speed"


@dataclass(frozen=True)
class CountClaim:
    """``quantity`` of ``a`` is less than ``threshold`` times that of ``b``."""

    id: str
    statement: str
    source: dict[str, str]
    a: str
    b: str
    quantity: str
    threshold: float
    dataset: str | None = None
    kind: Literal["count"] = "count"


@dataclass(frozen=True)
class AllOfClaim:
    """All of other claims hold: an intersection-union test."""

    id: str
    statement: str
    source: dict[str, str]
    parts: tuple[str, ...]
    dataset: str | None = None
    kind: Literal["all_of"] = "all_of"


# Claims with an effect, an interval and a family.
TestedClaim = OrderingClaim | MagnitudeClaim | NumberClaim | NoninferiorityClaim | SpeedClaim
Claim = TestedClaim | CountClaim | AllOfClaim


def rows_of(claim: Claim) -> dict[str, str]:
    """Return the study's rows that a claim is about, by the names a and b."""
    named = {side: getattr(claim, side, None) for side in ("a", "b")}
    return {side: name for side, name in named.items() if name is not None}
