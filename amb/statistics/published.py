"""Numbers that others have published: a table of quotations, each with its source, checked on load.

Every line is one number of one system on one data set. Nothing here was computed by us.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amb.errors import InputError
from amb.files import sha256_of
from amb.statistics.claim_kinds import Claim, NumberClaim

COLUMNS = ("dataset", "model", "metric", "value", "source", "note")
DATASETS = ("mosi", "mosei", "sims", "simsv2")
_SHARE, _CHANGE = (0.0, 1.0), (-1.0, 1.0)
# What each metric can be. An MAE above the width of the label scale is a percentage or a slip.
RANGES: dict[str, tuple[float, float]] = {
    "mae": (0.0, 6.0),
    "corr": _CHANGE,
    **dict.fromkeys(("acc7", "acc5", "acc3", "acc2", "acc2_has0", "acc2_non0"), _SHARE),
    **dict.fromkeys(("f1", "f1_has0", "f1_non0"), _SHARE),
    **dict.fromkeys(("mae_relative_reduction", "acc7_relative_improvement"), _CHANGE),
}


@dataclass(frozen=True)
class PublishedNumber:
    """One quoted number; ``written`` is how its source's digits stand in the file."""

    dataset: str
    model: str
    metric: str
    value: float
    source: str
    note: str
    written: str = ""


@dataclass(frozen=True)
class PublishedNumbers:
    """A table of quoted numbers.

    Attributes:
        file: Where it was read from; empty where a study has none.
        sha256: SHA-256 of the file's bytes.
        numbers: (data set, model, metric) to the number.
    """

    file: str = ""
    sha256: str | None = None
    numbers: Mapping[tuple[str, str, str], PublishedNumber] = field(default_factory=dict)

    def find(self, dataset: str, model: str, metric: str) -> PublishedNumber | None:
        """Return a number; None where nobody is quoted with it."""
        return self.numbers.get((dataset, model, metric))

    def models(self, dataset: str, metric: str) -> list[str]:
        """Return the models that are quoted with a metric on a data set."""
        return [m for d, m, name in self.numbers if (d, name) == (dataset, metric)]


def read_published(file: Path) -> PublishedNumbers:
    """Read and check a table of published numbers.

    Args:
        file: CSV file with ``COLUMNS``.

    Returns:
        The table.

    Raises:
        InputError: The file is missing or no CSV, has other columns, names an unknown data set or
            metric, has a value out of range, no source, or a number twice; the message names the
            file, the row and the value.
    """
    if not file.is_file():
        raise InputError(file, "file", "no such file", f"a CSV file with {', '.join(COLUMNS)}")
    numbers: dict[tuple[str, str, str], PublishedNumber] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            rows = csv.reader(handle, strict=True)
            header = tuple(next(rows, ()))
            if header != COLUMNS:
                raise InputError(file, "row 1", ",".join(header), ",".join(COLUMNS))
            for row in rows:
                number = _number(file, rows.line_num, row)
                key = (number.dataset, number.model, number.metric)
                if key in numbers:
                    raise InputError(file, f"row {rows.line_num}", " ".join(key), "one row for it")
                numbers[key] = number
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(file, "content", str(error), "a CSV file in UTF-8") from error
    return PublishedNumbers(file.name, sha256_of(file), numbers)


def check_quoted(file: Path, claims: Sequence[Claim], published: PublishedNumbers) -> None:
    """Refuse a claim about a number that nobody is quoted with.

    Args:
        file: The claims file, to name in messages.
        claims: Its claims.
        published: The table that goes with it.

    Raises:
        InputError: A claim of kind number refers to no row of the table.
    """
    for place, claim in enumerate(claims):
        if not isinstance(claim, NumberClaim):
            continue
        if published.find(claim.dataset, claim.model, claim.metric) is None:
            models = ", ".join(published.models(claim.dataset, claim.metric)) or "(no row)"
            allowed = f"a model with {claim.metric} on {claim.dataset} in published.csv: {models}"
            raise InputError(file, f"claims.{place}.published.model", claim.model, allowed)


def _number(file: Path, line: int, row: list[str]) -> PublishedNumber:
    if len(row) != len(COLUMNS):
        raise InputError(file, f"row {line}", f"{len(row)} cells", f"{len(COLUMNS)} cells")
    cells = dict(zip(COLUMNS, row, strict=True))
    _check_choice(file, line, "dataset", cells["dataset"], DATASETS)
    _check_choice(file, line, "metric", cells["metric"], tuple(RANGES))
    for name in ("model", "source"):
        if not cells[name].strip():
            raise InputError(file, f"row {line}, {name}", cells[name], "a text that is not empty")
    return PublishedNumber(
        dataset=cells["dataset"],
        model=cells["model"],
        metric=cells["metric"],
        value=_value(file, line, cells),
        source=cells["source"],
        note=cells["note"],
        written=cells["value"].strip(),
    )


def _check_choice(file: Path, line: int, name: str, found: str, allowed: tuple[str, ...]) -> None:
    if found not in allowed:
        raise InputError(file, f"row {line}, {name}", found, f"one of {', '.join(allowed)}")


def _value(file: Path, line: int, cells: Mapping[str, str]) -> float:
    low, high = RANGES[cells["metric"]]
    allowed = f"a number from {low:g} to {high:g} ({cells['metric']}; shares, not percentages)"
    try:
        value = float(cells["value"])
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise InputError(file, f"row {line}, value", cells["value"], allowed)
    return value
