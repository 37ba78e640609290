"""The control rows as people read them: what was found beside the range that was known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from amb.reporting.inputs import SCOPES
from amb.reporting.markup import latex, markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.metric_display import METRICS, effect_unit
from amb.reporting.rounding import MISSING, UNDEFINED
from amb.reporting.tables.comparison_grids import SCOPE_LABELS, gain_and_interval
from amb.reporting.tables.table_files import write_table_files

COLUMNS = (
    Column("Row", width_cm=3.0),
    Column("Control", width_cm=2.2),
    Column("Quantity", width_cm=3.8),
    Column("Found", width_cm=2.6),
    Column("Known range", width_cm=2.2),
    Column("Verdict", width_cm=2.2),
)
CSV_COLUMNS = [
    *("row", "label", "control", "intact", "quantity", "seed"),
    *("found", "ci_low", "ci_high", "low", "high", "in_range"),
]
_LEGEND = (
    "Control rows have a known answer; one out of range is a fault of data or code, and no result "
    "of the study can be trusted before it is found. “MAE lost” is a result and has no range: what "
    "the row loses to the intact one, with its interval. Seeds are given as smallest to largest."
)


def write_controls(folder: Path, checked: Mapping[str, Any]) -> None:
    """Write ``controls.csv``, ``.md``, ``.html`` and ``.tex``.

    Args:
        folder: Where to; created if need be.
        checked: The content of ``controls.json``.
    """
    text, tex = markdown_controls(checked), latex_controls(checked)
    write_table_files(folder, "controls", "Controls", controls_frame(checked), text, tex)


def controls_frame(checked: Mapping[str, Any]) -> pd.DataFrame:
    """Return ``controls.csv``: one line a quantity and seed, unrounded."""
    return pd.DataFrame(_csv_rows(checked), columns=CSV_COLUMNS)


def markdown_controls(checked: Mapping[str, Any]) -> str:
    """Return the controls as a Markdown page."""
    return "\n".join(
        [
            "# Controls\n",
            _tally(checked) + "\n",
            markdown.render_table(controls_grid(checked)),
            markdown.escape(caption(checked)) + "\n",
        ]
    )


def latex_controls(checked: Mapping[str, Any]) -> str:
    """Return the controls as LaTeX floats."""
    title, note = "Control rows and their known ranges.", f"{_tally(checked)} {caption(checked)}"
    return latex.HEADER + latex.render_tables(controls_grid(checked), title, "tab:controls", note)


def caption(checked: Mapping[str, Any]) -> str:
    """Return what a reader of the controls must know."""
    return f"{_LEGEND} Intervals: {100 * (1 - checked['alpha']):g} %."


def controls_grid(checked: Mapping[str, Any]) -> Grid:
    """Return every control row with its quantities, found values, ranges and verdicts."""
    rows: list[tuple[str, ...]] = []
    starts = []
    for control in checked["controls"]:
        starts.append(len(rows))
        name = control["control"].replace("_", " ")
        for index, cells in enumerate(_cells(control)):
            rows.append((*((control["label"], name) if index == 0 else ("", "")), *cells))
    return Grid(COLUMNS, tuple(rows), frozenset(starts[1:]))


def out_of_range(checked: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what lies outside its range.

    Args:
        checked: The content of ``controls.json``.

    Returns:
        Row, seed and quantity; the value found; the range expected. All in words.
    """
    return [
        (
            f"{control['row']}, {_seed_text(seed)}, {check['quantity']}",
            _number(check["found"][seed]),
            range_text(check),
        )
        for control in checked["controls"]
        for check in control["checks"]
        for seed in check["outside"]
    ]


def range_text(check: Mapping[str, Any]) -> str:
    """Return a range in words: "exactly 0", "at least 0.95", "0.81 to 0.82"."""
    low, high = check["low"], check["high"]
    if low is None:
        return f"at most {_number(high)}"
    if high is None:
        return f"at least {_number(low)}"
    return f"exactly {_number(low)}" if low == high else f"{_number(low)} to {_number(high)}"


def _tally(checked: Mapping[str, Any]) -> str:
    good = sum(control["in_range"] for control in checked["controls"])
    return f"{good} of {len(checked['controls'])} control rows in range."


def _cells(control: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield quantity, found value, range and verdict of each check and each result."""
    for check in control["checks"]:
        outside = check["outside"]
        where = ", ".join(_seed_text(seed) for seed in outside)
        verdict = f"OUT OF RANGE: {where}" if outside else "in range"
        yield check["quantity"], _span(check["found"].values()), range_text(check), verdict
    for scope in SCOPES:
        if scope in control["lost"]:
            quantity = f"MAE lost to {control['intact_label']}, {SCOPE_LABELS[scope]}"
            yield quantity, _lost_text(control["lost"][scope]), MISSING, MISSING
    if control["note"]:
        yield "No check", MISSING, MISSING, control["note"]


def _lost_text(lost: Mapping[str, Any]) -> str:
    numbers = {key: _value(lost[key]) for key in ("estimate", "ci_low", "ci_high")}
    gain, interval = gain_and_interval(numbers, effect_unit(METRICS["mae"], "difference"))
    return f"{gain} ({interval})"


def _span(values: Any) -> str:
    texts = [_number(value) for value in sorted(values, key=_value)]
    return texts[0] if texts[0] == texts[-1] else f"{texts[0]} to {texts[-1]}"


def _seed_text(seed: str) -> str:
    return "all seeds" if seed == "all" else f"seed {seed}"


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.7g}"


def _value(value: float | None) -> float:
    return math.nan if value is None else value


def _csv_rows(checked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row a quantity and seed, unrounded; a result without a range has no verdict."""
    for control in checked["controls"]:
        named = {key: control[key] for key in ("row", "label", "control", "intact")}
        for check in control["checks"]:
            bounds = {"quantity": check["quantity"], "low": check["low"], "high": check["high"]}
            for seed, found in check["found"].items():
                inside = seed not in check["outside"]
                yield {**named, **bounds, "seed": seed, "found": found, "in_range": inside}
        for scope, lost in control["lost"].items():
            numbers = {"found": lost["estimate"], **{k: lost[k] for k in ("ci_low", "ci_high")}}
            yield {**named, "quantity": f"MAE lost, {scope}", "seed": "all", **numbers}
