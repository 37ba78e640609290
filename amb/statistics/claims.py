"""The claims file: what is claimed, and by which test each claim stands or falls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from amb.checked_files import load_checked_yaml
from amb.errors import InputError
from amb.files import sha256_of
from amb.statistics.contrast import Form

# Which keys belong to which kind of claim; the other kind must not carry them.
KIND_KEYS = {"ordering": {"metric", "sesoi", "scope", "family"}, "count": {"quantity", "threshold"}}


@dataclass(frozen=True)
class CollapseRule:
    """A run has collapsed if its metric is worse than ``worse_than`` times the best constant's."""

    split: str
    metric: str
    worse_than: float


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
    kind: Literal["ordering"] = "ordering"


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
    kind: Literal["count"] = "count"


@dataclass(frozen=True)
class ClaimsFile:
    """A checked claims file.

    Attributes:
        sha256: SHA-256 of the file's bytes.
        alpha: Significance level of every family.
        families: Family to correction (``holm`` or ``bh``).
        collapse_rule: When a run counts as collapsed.
        claims: The claims, in the file's order.
    """

    sha256: str
    alpha: float
    families: dict[str, str]
    collapse_rule: CollapseRule
    claims: tuple[OrderingClaim | CountClaim, ...]


def load_claims(file: Path) -> ClaimsFile:
    """Read and check a claims file.

    Args:
        file: Path of the YAML file.

    Returns:
        The checked file.

    Raises:
        InputError: The file breaks the schema or gives one id to two claims.
    """
    content = load_checked_yaml(file, "claims")
    claims = tuple(
        _claim(file, place, entry, content["families"])
        for place, entry in enumerate(content["claims"])
    )
    ids = [claim.id for claim in claims]
    for name in ids:
        if ids.count(name) > 1:
            raise InputError(file, "claims", f"id {name} twice", "every id once")
    return ClaimsFile(
        sha256=sha256_of(file),
        alpha=float(content["alpha"]),
        families=content["families"],
        collapse_rule=CollapseRule(**content["collapse_rule"]),
        claims=claims,
    )


def _claim(
    file: Path, place: int, entry: dict[str, Any], families: dict[str, str]
) -> OrderingClaim | CountClaim:
    _check_claim(file, f"claims.{place}", entry, families)
    contrast = entry["contrast"]
    words = {key: entry[key] for key in ("id", "statement", "source")}
    if entry["kind"] == "count":
        return CountClaim(
            **words,
            a=contrast["a"],
            b=contrast["b"],
            quantity=entry["quantity"],
            threshold=float(entry["threshold"]),
        )
    return OrderingClaim(
        **words,
        a=contrast["a"],
        b=contrast["b"],
        metric=entry["metric"],
        form=contrast["form"],
        sesoi=float(entry["sesoi"]),
        headline_scope=entry["scope"]["headline"],
        family=entry["family"],
    )


def _check_claim(file: Path, where: str, entry: dict[str, Any], families: dict[str, str]) -> None:
    """Refuse what the schema cannot express in a message that a reader would understand."""
    contrast, kind = entry["contrast"], entry["kind"]
    for other, keys in KIND_KEYS.items():
        foreign = sorted(keys & set(entry))
        if other != kind and foreign:
            key = f"{where}.{foreign[0]}"
            raise InputError(file, key, entry[foreign[0]], f"no such key in kind {kind}")
    if kind == "count" and "form" in contrast:
        raise InputError(file, f"{where}.contrast.form", contrast["form"], "no form in kind count")
    if contrast["a"] == contrast["b"]:
        raise InputError(file, f"{where}.contrast.b", contrast["b"], "another method than a")
    if kind == "ordering" and entry["family"] not in families:
        allowed = f"one of {', '.join(families)}"
        raise InputError(file, f"{where}.family", entry["family"], allowed)
    if kind == "ordering" and entry["scope"]["headline"] == entry["scope"]["also"]:
        raise InputError(file, f"{where}.scope.also", entry["scope"]["also"], "the other scope")
