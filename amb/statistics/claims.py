"""The claims file: what is claimed, and by which test each claim stands or falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amb.checked_files import load_checked_yaml
from amb.errors import InputError
from amb.files import sha256_of
from amb.statistics.claim_kinds import (
    AllOfClaim,
    Claim,
    CountClaim,
    MagnitudeClaim,
    NoninferiorityClaim,
    NumberClaim,
    OrderingClaim,
    SpeedClaim,
)
from amb.statistics.verdict import INTERSECTION_UNION

# Which keys belong to which kind of claim; a claim must not carry those of another kind.
COMMON = {"id", "statement", "source", "kind", "contrast", "dataset"}
KIND_KEYS = {
    "ordering": COMMON | {"metric", "sesoi", "scope", "family"},
    "magnitude": COMMON | {"metric", "claimed", "margin", "scope", "family"},
    "number": COMMON - {"dataset"} | {"metric", "published", "relative_gain", "margin", "family"},
    "noninferiority": COMMON | {"metric", "corruption", "margin", "scope", "family"},
    "speed": COMMON | {"sesoi", "family"},
    "count": COMMON | {"quantity", "threshold"},
    "all_of": COMMON - {"contrast"} | {"all_of"},
}
KINDS_WITH_FORM = ("ordering", "magnitude")


@dataclass(frozen=True)
class CollapseRule:
    """A run has collapsed if its metric is worse than ``worse_than`` times the best constant's."""

    split: str
    metric: str
    worse_than: float


@dataclass(frozen=True)
class ClaimsFile:
    """A checked claims file.

    Attributes:
        sha256: SHA-256 of the file's bytes.
        alpha: Significance level of every family.
        families: Family to correction (``holm``, ``bh`` or ``intersection_union``).
        collapse_rule: When a run counts as collapsed.
        claims: The claims, in the file's order.
    """

    sha256: str
    alpha: float
    families: dict[str, str]
    collapse_rule: CollapseRule
    claims: tuple[Claim, ...]

    def timed_rows(self) -> list[tuple[str, str]]:
        """Return the pairs of rows whose training steps some claim compares, each once."""
        pairs = [(claim.a, claim.b) for claim in self.claims if isinstance(claim, SpeedClaim)]
        return list(dict.fromkeys(pairs))


def load_claims(file: Path) -> ClaimsFile:
    """Read and check a claims file.

    Args:
        file: Path of the YAML file.

    Returns:
        The checked file.

    Raises:
        InputError: The file breaks the schema, gives one id to two claims, or has parts that are
            no claims.
    """
    content = load_checked_yaml(file, "claims")
    claims = []
    for place, entry in enumerate(content["claims"]):
        _check_claim(file, f"claims.{place}", entry, content["families"])
        claims.append(_claim(entry))
    _check_ids(file, claims)
    _check_parts(file, claims, content["families"])
    return ClaimsFile(
        sha256=sha256_of(file),
        alpha=float(content["alpha"]),
        families=content["families"],
        collapse_rule=CollapseRule(**content["collapse_rule"]),
        claims=tuple(claims),
    )


def _claim(entry: dict[str, Any]) -> Claim:
    """Turn an entry of the file that was checked into a claim."""
    words = {key: entry[key] for key in ("id", "statement", "source")}
    if entry["kind"] == "all_of":
        parts = tuple(entry["all_of"])
        return AllOfClaim(**words, parts=parts, dataset=entry.get("dataset"))
    if entry["kind"] == "number":
        return NumberClaim(
            **words,
            **_numbers(entry, "margin"),
            a=entry["contrast"]["a"],
            metric=entry["metric"],
            dataset=entry["published"]["dataset"],
            model=entry["published"]["model"],
            relative_gain=float(entry.get("relative_gain", 0.0)),
            family=entry["family"],
        )
    rows = {side: entry["contrast"][side] for side in ("a", "b")}
    return _comparison({**words, **rows, "dataset": entry.get("dataset")}, entry)


def _comparison(words: dict[str, Any], entry: dict[str, Any]) -> Claim:
    """Return a claim that compares two rows."""
    kind = entry["kind"]
    if kind == "count":
        own = {"quantity": entry["quantity"], **_numbers(entry, "threshold")}
        return CountClaim(**words, **own)
    words = {**words, "family": entry["family"]}
    if kind == "speed":
        return SpeedClaim(**words, **_numbers(entry, "sesoi"))
    words |= {"metric": entry["metric"], "headline_scope": entry["scope"]["headline"]}
    if kind == "noninferiority":
        corruption = entry["corruption"]
        return NoninferiorityClaim(**words, corruption=corruption, **_numbers(entry, "margin"))
    words["form"] = entry["contrast"]["form"]
    if kind == "magnitude":
        return MagnitudeClaim(**words, **_numbers(entry, "claimed", "margin"))
    return OrderingClaim(**words, **_numbers(entry, "sesoi"))


def _numbers(entry: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: float(entry[key]) for key in keys}


def _check_claim(file: Path, where: str, entry: dict[str, Any], families: dict[str, str]) -> None:
    """Refuse what the schema cannot express in a message that a reader would understand."""
    kind = entry["kind"]
    foreign = sorted(set(entry) - KIND_KEYS[kind])
    if foreign:
        key = f"{where}.{foreign[0]}"
        raise InputError(file, key, entry[foreign[0]], f"no such key in kind {kind}")
    if "contrast" in entry:
        _check_contrast(file, f"{where}.contrast", kind, entry["contrast"])
    if "family" in entry and entry["family"] not in families:
        allowed = f"one of {', '.join(families)}"
        raise InputError(file, f"{where}.family", entry["family"], allowed)
    if "scope" in entry and entry["scope"]["headline"] == entry["scope"]["also"]:
        raise InputError(file, f"{where}.scope.also", entry["scope"]["also"], "the other scope")


def _check_contrast(file: Path, where: str, kind: str, contrast: dict[str, str]) -> None:
    if "form" in contrast and kind not in KINDS_WITH_FORM:
        raise InputError(file, f"{where}.form", contrast["form"], f"no form in kind {kind}")
    if kind == "number" and "b" in contrast:
        raise InputError(file, f"{where}.b", contrast["b"], "a alone: it is held against a number")
    if contrast["a"] == contrast.get("b"):
        raise InputError(file, f"{where}.b", contrast["b"], "another method than a")


def _check_ids(file: Path, claims: Sequence[Claim]) -> None:
    ids = [claim.id for claim in claims]
    for name in ids:
        if ids.count(name) > 1:
            raise InputError(file, "claims", f"id {name} twice", "every id once")


def _check_parts(file: Path, claims: Sequence[Claim], families: dict[str, str]) -> None:
    """Parts are other claims, none of them made of parts; only parts may go uncorrected."""
    whole = {claim.id for claim in claims if not isinstance(claim, AllOfClaim)}
    united = {
        part
        for place, claim in enumerate(claims)
        if isinstance(claim, AllOfClaim)
        for part in _known_parts(file, f"claims.{place}.all_of", claim, whole)
    }
    for place, claim in enumerate(claims):
        family = getattr(claim, "family", None)
        if family is None:
            continue
        if (families[family] == INTERSECTION_UNION) != (claim.id in united):
            correction = "correction" if claim.id in united else "another correction than"
            role = "a part" if claim.id in united else "no part"
            allowed = f"a family with {correction} {INTERSECTION_UNION}: {role} of an all_of"
            raise InputError(file, f"claims.{place}.family", family, allowed)


def _known_parts(file: Path, where: str, claim: AllOfClaim, known: set[str]) -> tuple[str, ...]:
    for part in claim.parts:
        if part not in known:
            raise InputError(file, where, part, "ids of claims that are not all_of themselves")
    return claim.parts
