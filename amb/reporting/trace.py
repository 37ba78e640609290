"""What stands behind a cell of a table: its files, its seeds, and its number computed again.

A cell is named ``table:row:metric``, as in ``comparison:amb:mae``; of ``metric_variants``,
``table:row:metric:variant``; of ``robustness``, ``table:row:metric:kind:target:level``; of
``controls``, ``table:row:quantity``; of ``known_answer``, ``table:row:column``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from amb.errors import InputError
from amb.evaluation.method_runs import runs_by_method
from amb.evaluation.metric_variants import VARIANTS
from amb.evaluation.predictions import CLEAN_FILE, CORRUPTED_FILE, run_folder
from amb.evaluation.reading import read_robustness_predictions, read_study_predictions
from amb.files import read_json, sha256_of
from amb.reporting.inputs import modalities_read
from amb.reporting.tables.controls import controls_frame
from amb.reporting.tables.known_answer import known_answer_frame
from amb.statistics.compare import moments_by_method
from amb.statistics.controls import check_controls
from amb.statistics.costs import read_costs, summarise_costs
from amb.statistics.known_answer import known_answer
from amb.statistics.metric_ranks import rank_by_variant
from amb.statistics.moments import metric_table
from amb.statistics.pairs import all_pairs
from amb.statistics.robustness import under_corruption
from amb.statistics.robustness_table import robustness_table
from amb.statistics.scopes import SCOPES, effect_in_scope
from amb.statistics.scores import mean_and_interval
from amb.statistics.ties import find_ties
from amb.study import Study

Bounds = Mapping[str, Mapping[str, float]]

KNOWN_ANSWER = "known_answer"
TOLERANCE = 1e-9  # of a number that was written with all its digits
_MEAN = ("mean", "ci_low", "ci_high")
_EFFECT = ("estimate", "ci_low", "ci_high", "p")
_KNOWN_ANSWER = ("explained", "ci_low", "ci_high", "share", "mae", "bound", "mae_bound", "p_above")
_COSTS = ("wall_time_s", "epoch_time_s", "peak_memory_bytes", "checkpoint_bytes", "runs")


@dataclass(frozen=True)
class Address:
    """A cell's table, row, metric, and what else names it in some tables."""

    table: str
    row: str
    metric: str
    more: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``table:row:metric``, with more parts behind it in some tables.

        Args:
            text: The name of the cell.

        Returns:
            The address.

        Raises:
            InputError: It has fewer than three parts.
        """
        parts = text.split(":")
        if len(parts) < 3 or not all(parts):
            raise InputError("command line", "CELL", text, "table:row:metric")
        return cls(parts[0], parts[1], parts[2], tuple(parts[3:]))

    def __str__(self) -> str:
        return ":".join((self.table, self.row, self.metric, *self.more))


@dataclass(frozen=True)
class RunFile:
    """A file that a cell rests on, with its hash and the identity of its run."""

    method: str
    seed: int
    path: Path
    sha256: str
    identity: str


@dataclass(frozen=True)
class Check:
    """A number or text as it stands in the table, and computed again."""

    name: str
    found: Any
    again: Any

    @property
    def agrees(self) -> bool:
        """Whether both are the same, but for the last digits of a sum."""
        if isinstance(self.found, str) or isinstance(self.again, str):
            return bool(self.found == self.again)
        if math.isnan(self.found) or math.isnan(self.again):
            return math.isnan(self.found) and math.isnan(self.again)
        return math.isclose(self.found, self.again, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


@dataclass(frozen=True)
class Trace:
    """What stands behind a cell.

    Attributes:
        address: The cell.
        file: The table that holds it, in CSV.
        files: The files that it rests on, of the row and of what it is tested against.
        seeds: (row, seed, value) of the runs behind it.
        checks: Its numbers, as they stand there and computed again.
        notes: What cannot be computed again, in words.
    """

    address: Address
    file: Path
    files: tuple[RunFile, ...]
    seeds: tuple[tuple[str, int, float], ...] = ()
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = field(default=())


def trace(folder: Path, study: Study, address: Address, bounds: Bounds | None = None) -> Trace:
    """Find what stands behind a cell and compute it again.

    Args:
        folder: The study's results folder.
        study: The study.
        address: The cell.
        bounds: Of generated data, what can be known of them, as their generator says.

    Returns:
        Files, seeds and checks; whether the checks agree is the caller's to say.

    Raises:
        InputError: There is no such table, row, metric or cell, or a file is missing.
    """
    tables = (*_TRACERS, KNOWN_ANSWER)
    if address.table not in tables:
        raise InputError("command line", "table", address.table, f"one of {', '.join(tables)}")
    file = folder / "tables" / f"{address.table}.csv"
    if not file.is_file():
        raise InputError(file, "file", "no such file", "a table of this study")
    if address.table == KNOWN_ANSWER:
        if bounds is None:
            raise InputError("command line", "table", KNOWN_ANSWER, "a study of generated data")
        return _known_answer(folder, study, address, file, bounds)
    rows = study if address.table == "controls" else study.compared()  # others leave controls out
    return _TRACERS[address.table](folder, rows, address, file)


def _comparison(folder: Path, study: Study, address: Address, file: Path) -> Trace:
    row = _row(file, method=address.row, metric=address.metric)
    checks, seeds = _score(folder, study, address.row, address.metric, row)
    reference = study.statistics.reference
    if address.row != reference:
        more, others = _contrast(folder, study, address.row, reference, address.metric, row)
        checks, seeds = checks + more, seeds + others
    rows = list(dict.fromkeys((address.row, reference)))
    notes = ("Adjusted p-values rest on all rows of the table: see comparison.csv.",)
    return Trace(address, file, _files(folder, study, rows), seeds, checks, notes)


def _ablation(folder: Path, study: Study, address: Address, file: Path) -> Trace:
    row = _row(file, method=address.row, metric=address.metric)
    checks, seeds = _score(folder, study, address.row, address.metric, row)
    full = str(row["full"])
    if address.row != full:
        more, others = _contrast(folder, study, address.row, full, address.metric, row)
        checks, seeds = checks + more, seeds + others
    files = _files(folder, study, list(dict.fromkeys((address.row, full))))
    notes = ("Adjusted p-values rest on all pairs of rows: see pairs.csv.",)
    return Trace(address, file, files, seeds, checks, notes)


def _ties(folder: Path, study: Study, address: Address, file: Path) -> Trace:
    _require_metric(study, address.metric)
    moments = moments_by_method(_predictions(folder, study, list(study.methods)))
    values = {name: metric_table(own, address.metric).values for name, own in moments.items()}
    summary = pd.DataFrame(
        [(name, address.metric, own.mean()) for name, own in values.items()],
        columns=["method", "metric", "mean"],
    )
    found = find_ties(all_pairs(moments, study.statistics), summary)
    checks = []
    for scope in SCOPES:
        cell = _row(file, method=address.row, metric=address.metric, scope=scope)
        own = found[(found["scope"] == scope) & (found["metric"] == address.metric)]
        letters = own.loc[own["method"] == address.row, "letters"].iloc[0]
        checks.append(Check(f"letters, {scope}", str(cell["letters"]), str(letters)))
    return Trace(address, file, _files(folder, study, list(study.methods)), (), tuple(checks))


def _efficiency(folder: Path, study: Study, address: Address, file: Path) -> Trace:
    """Trace a measurement: it can be read again from the records, not computed from predictions."""
    if address.metric not in _COSTS:
        raise InputError(file, "metric", address.metric, f"one of {', '.join(_COSTS)}")
    costs = read_costs(folder / "runs", study)
    again = summarise_costs(costs[costs["method"] == address.row])
    table = pd.read_csv(file)
    cells = table.loc[table["method"] == address.row, address.metric]
    if len(cells) != len(again) or cells.empty:
        raise InputError(file, "row", address.row, f"{len(again)} lines, one a kind of hardware")
    checks = tuple(
        Check(f"{address.metric} on {where}", float(cell), float(value))
        for cell, value, where in zip(cells, again[address.metric], again["hardware"], strict=True)
    )
    own = costs[costs["method"] == address.row]
    seeds = tuple(
        (address.row, int(seed), float(value))
        for seed, value in zip(own["seed"], own.get(address.metric, own["epochs"]), strict=True)
    )
    return Trace(address, file, _files(folder, study, [address.row], "run.json"), seeds, checks)


def _published(folder: Path, study: Study, address: Address, file: Path) -> Trace:
    row = _row(file, row=address.row, metric=address.metric)
    if row["kind"] == "quoted":
        note = f" ({row['note']})" if isinstance(row["note"], str) else ""
        return Trace(address, file, (), notes=(f"Quoted, not run: {row['source']}{note}.",))
    renamed = row.rename({"value": "mean"})
    checks, seeds = _score(folder, study, address.row, address.metric, renamed)
    return Trace(address, file, _files(folder, study, [address.row]), seeds, checks)


def _metric_variants(folder: Path, study: Study, address: Address, file: Path) -> Trace:
    if len(address.more) != 1 or address.more[0] not in VARIANTS:
        allowed = f"table:row:metric:variant, the variant one of {', '.join(VARIANTS)}"
        raise InputError("command line", "CELL", str(address), allowed)
    (variant,) = address.more
    row = _row(file, method=address.row, metric=address.metric, variant=variant)
    runs = runs_by_method(_predictions(folder, study, [address.row]))
    found = rank_by_variant(runs, {address.row: address.row}).table
    own = found[(found["metric"] == address.metric) & (found["variant"] == variant)]
    function = VARIANTS[variant].metrics[address.metric].function
    method = runs[address.row]
    values = function(method.labels, method.predictions)
    seeds = tuple(
        (address.row, int(s), float(v)) for s, v in zip(method.seeds, values, strict=True)
    )
    checks = (Check("mean", float(row["mean"]), float(own["mean"].iloc[0])),)
    notes = ("The rank rests on the means of all rows.",)
    return Trace(address, file, _files(folder, study, [address.row]), seeds, checks, notes)


def _robustness(folder: Path, study: Study, address: Address, file: Path) -> Trace:
    if len(address.more) != 3:
        allowed = "table:row:metric:kind:target:level"
        raise InputError("command line", "CELL", str(address), allowed)
    kind, target, level = address.more
    where = {"method": address.row, "metric": address.metric, "kind": kind, "target": target}
    row = _row(file, **where, level=level)
    rows = list(dict.fromkeys((address.row, study.statistics.reference)))
    predictions = read_robustness_predictions(folder / "runs", study, rows)
    table = robustness_table(under_corruption(predictions), study.statistics)
    again = _matching(table, **where, level=level).iloc[0]
    names = ["noisy", "degradation", "retention"]
    names += [f"{scope}_{name}" for scope in SCOPES for name in _EFFECT]
    checks = tuple(Check(name, float(row[name]), float(again[name])) for name in names)
    files = tuple(
        own for name in (CLEAN_FILE, CORRUPTED_FILE) for own in _files(folder, study, rows, name)
    )
    return Trace(address, file, files, (), checks)


def _controls(folder: Path, study: Study, address: Address, file: Path) -> Trace:
    frame = _read(file)
    _require_known(frame, file, row=address.row, quantity=address.metric)
    predictions = read_study_predictions(folder / "runs", study)
    again = controls_frame(check_controls(predictions, study))
    where = {"row": address.row, "quantity": address.metric}
    found, own = _matching(frame, **where), _matching(again, **where)
    if len(found) != len(own) or own.empty:
        raise InputError(file, str(address), f"{len(found)} lines", f"{len(own)} lines")
    names = ("found", "ci_low", "ci_high", "low", "high")
    checks = [
        Check(f"{name}, seed {b['seed']}", float(a[name]), float(b[name]))
        for (_, a), (_, b) in zip(found.iterrows(), own.iterrows(), strict=True)
        for name in names
        if pd.notna(a[name]) or pd.notna(b[name])
    ]
    rows = [address.row, *found["intact"].dropna().unique()]
    return Trace(address, file, _files(folder, study, rows), (), tuple(checks))


def _known_answer(
    folder: Path, study: Study, address: Address, file: Path, bounds: Bounds
) -> Trace:
    frame = _read(file)
    _require_known(frame, file, row=address.row)
    if address.metric not in _KNOWN_ANSWER:
        raise InputError(file, "column", address.metric, f"one of {', '.join(_KNOWN_ANSWER)}")
    own = study.only([address.row])
    reads = modalities_read(folder / "methods.json", own)
    predictions = read_study_predictions(folder / "runs", own, splits=("test",))
    found = known_answer(predictions, own, reads, bounds)
    value = known_answer_frame(found)[address.metric].iloc[0]
    cell = _matching(frame, row=address.row)[address.metric].iloc[0]
    check = Check(address.metric, float(cell), float(value))
    return Trace(address, file, _files(folder, study, [address.row]), (), (check,))


_TRACERS: dict[str, Callable[[Path, Study, Address, Path], Trace]] = {
    "comparison": _comparison,
    "ties": _ties,
    "ablation": _ablation,
    "fusion": _ablation,
    "efficiency": _efficiency,
    "published": _published,
    "metric_variants": _metric_variants,
    "robustness": _robustness,
    "controls": _controls,
}


def _score(
    folder: Path, study: Study, method: str, metric: str, row: pd.Series
) -> tuple[tuple[Check, ...], tuple[tuple[str, int, float], ...]]:
    """Compute mean and interval over seeds again."""
    _require_metric(study, metric)
    moments = moments_by_method(_predictions(folder, study, [method]))[method]
    values = metric_table(moments, metric).values
    mean, _, low, high = mean_and_interval(values, study.statistics.alpha)
    again = zip(_MEAN, (mean, low, high), strict=True)
    checks = tuple(Check(name, float(row[name]), value) for name, value in again)
    return checks, tuple(
        (method, int(s), float(v)) for s, v in zip(moments.seeds, values, strict=True)
    )


def _contrast(
    folder: Path, study: Study, method: str, other: str, metric: str, row: pd.Series
) -> tuple[tuple[Check, ...], tuple[tuple[str, int, float], ...]]:
    """Compute the difference of two rows again, in both scopes."""
    moments = moments_by_method(_predictions(folder, study, [method, other]))
    a, b = (metric_table(moments[name], metric) for name in (method, other))
    checks = []
    for scope in SCOPES:
        effect = effect_in_scope(scope, a, b, metric, "difference", study.statistics.alpha)
        for name in _EFFECT:
            found = float(row[f"{scope}_{name}"])
            checks.append(Check(f"{name}, {scope}", found, float(getattr(effect, name))))
    seeds = zip(moments[other].seeds, b.values, strict=True)
    return tuple(checks), tuple((other, int(s), float(v)) for s, v in seeds)


def _predictions(folder: Path, study: Study, methods: Sequence[str]) -> pd.DataFrame:
    return read_study_predictions(folder / "runs", study.only(methods), splits=("test",))


def _files(
    folder: Path, study: Study, methods: Sequence[str], name: str = CLEAN_FILE
) -> tuple[RunFile, ...]:
    found = []
    for method in methods:
        for seed in study.methods[method].seeds:
            run = run_folder(folder / "runs", method, seed)
            record = run / "run.json"
            identity = read_json(record).get("identity_sha256", "") if record.is_file() else ""
            found.append(RunFile(method, seed, run / name, sha256_of(run / name), identity))
    return tuple(found)


def _row(file: Path, **wanted: str) -> pd.Series:
    """Return the one row of a table that an address names."""
    table = _read(file)
    _require_known(table, file, **{name: v for name, v in wanted.items() if name != "level"})
    found = _matching(table, **wanted)
    if found.empty:
        raise InputError(file, "cell", ", ".join(wanted.values()), "a cell of this table")
    return found.iloc[0]


def _read(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, dtype={"method": str, "row": str}, keep_default_na=True)


def _require_known(table: pd.DataFrame, file: Path, **wanted: str) -> None:
    for name, value in wanted.items():
        if value not in set(table[name].dropna()):
            known = ", ".join(map(str, table[name].dropna().unique()))
            raise InputError(file, name, value, f"one of {known}")


def _matching(table: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    kept = pd.Series(True, index=table.index)
    for name, value in wanted.items():
        kept &= table[name] == (float(value) if name == "level" else value)
    return table[kept]


def _require_metric(study: Study, metric: str) -> None:
    if metric not in study.statistics.metrics:
        allowed = f"one of {', '.join(study.statistics.metrics)}"
        raise InputError("command line", "metric", metric, allowed)
