"""What the metric switch shows: every method's means and ranks under each code's definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from amb.evaluation.metric_variants import VARIANTS
from amb.reporting.inputs import Layout, read_table
from amb.reporting.study_page.folder import StudyFolder
from amb.reporting.study_page.seeds import records, short
from amb.reporting.tables.metric_variants import IN_UNITS

OWN = "mmsa"  # the suite's own definitions, to which the others are held
RANKS = Layout(
    text=("family", "definition", "variant", "metric", "method", "label"),
    numbers=("version", "mean", "rank"),
    flags=("higher_is_better",),
)


def variant_payload(folder: StudyFolder) -> dict[str, Any] | None:
    """Return means and ranks by variant.

    Args:
        folder: The results folder.

    Returns:
        JSON-able values; None where the folder has no ``tables/metric_variants.csv``.
    """
    file = folder.path / "tables" / "metric_variants.csv"
    if not file.is_file():
        return None
    table = read_table(file, RANKS)
    if table.empty:
        return None
    own = table[table["variant"] == OWN]
    names = [str(name) for name in table["variant"].unique()]
    return {
        "methods": [str(name) for name in table["method"].unique()],
        "labels": dict(zip(table["method"], table["label"], strict=True)),
        "own": OWN,
        "variants": [
            _variant(name, table[table["variant"] == name], own)
            for name in sorted(names, key=lambda name: name != OWN)
        ],
    }


def _variant(name: str, table: pd.DataFrame, own: pd.DataFrame) -> dict[str, Any]:
    known = VARIANTS.get(name)
    return {
        "name": name,
        "version": int(table["version"].iloc[0]),
        "source": known.source if known else "",
        "metrics": [
            _metric(str(metric), rows, own) for metric, rows in table.groupby("metric", sort=False)
        ],
    }


def _metric(name: str, rows: pd.DataFrame, own: pd.DataFrame) -> dict[str, Any]:
    """Return one metric of one variant: every method's mean and rank, and its rank in our own."""
    family = str(rows["family"].iloc[0])
    in_units = family in IN_UNITS
    return {
        "name": name,
        "family": family,
        "definition": _definition(str(rows["variant"].iloc[0]), name),
        "higher": bool(rows["higher_is_better"].iloc[0]),
        "scale": 1 if in_units else 100,
        "decimals": 4 if in_units else 2,
        "mean": {row.method: short(row.mean) for row in records(rows)},
        "rank": _ranks(rows),
        "against": _ranks(_counterpart(name, family, own)),
    }


def _counterpart(name: str, family: str, own: pd.DataFrame) -> pd.DataFrame:
    """Return our own metric that a metric is held to: of its name, else the family's first."""
    same = own[own["metric"] == name]
    if len(same):
        return same
    relatives = own[own["family"] == family]
    return relatives[relatives["metric"] == relatives["metric"].iloc[0]] if len(relatives) else same


def _ranks(rows: pd.DataFrame) -> Mapping[str, int | None]:
    return {str(row.method): None if pd.isna(row.rank) else int(row.rank) for row in records(rows)}


def _definition(variant: str, metric: str) -> str:
    known = VARIANTS.get(variant)
    return known.metrics[metric].definition if known and metric in known.metrics else ""
