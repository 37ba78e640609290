"""How far two results of the same runs agree: predictions, metrics, and what both came from.

Two machines, devices or thread counts give runs of the same identity whose numbers differ in their
last bits or in more; two states of the source give runs of another identity. Both are compared run
by run (method × seed), on clean inputs.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amb.errors import InputError
from amb.evaluation.metrics import METRICS
from amb.evaluation.predictions import ITEM_COLUMNS
from amb.evaluation.reading import read_predictions
from amb.files import read_json

IDENTITIES = ("config", "store", "backbone", "source")
ITEM = list(ITEM_COLUMNS)

RunKey = tuple[str, int]


@dataclass(frozen=True)
class RunAgreement:
    """One run in two results, A and B.

    Attributes:
        method: Row of the study.
        seed: The run's seed.
        predictions: Number of predictions, all splits.
        identical: Whether all of them are the same to the last bit.
        largest: Largest absolute difference of a prediction.
        mean: Mean absolute difference of the predictions.
        metrics: Difference of each metric on the test split, B − A; NaN where one is undefined.
        identities: Which hashes differ: of config, store, backbone, source.
        environment: What else differs, by name, as it was in A and in B: device, threads, versions.
    """

    method: str
    seed: int
    predictions: int
    identical: bool
    largest: float
    mean: float
    metrics: dict[str, float]
    identities: tuple[str, ...]
    environment: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Agreement:
    """All runs of two results.

    Attributes:
        runs: Those that both have, by method and seed.
        only_a: Method and seed of those that only A has.
        only_b: Those that only B has.
    """

    runs: tuple[RunAgreement, ...]
    only_a: tuple[RunKey, ...]
    only_b: tuple[RunKey, ...]

    def within(self, tolerance: float) -> bool:
        """Whether both have the same runs, and no prediction differs by more than ``tolerance``."""
        missing = self.only_a or self.only_b
        return not missing and all(run.largest <= tolerance for run in self.runs)


def compare_results(a: Path, b: Path) -> Agreement:
    """Compare two results of one study.

    Args:
        a: Results folder, its folder ``runs``, or the folder of one run.
        b: Another one.

    Returns:
        What differs.

    Raises:
        InputError: A folder has no runs, a run has no predictions, the studies differ, the two have
            no run in common, or their runs predict different utterances or labels.
    """
    runs_a, runs_b = find_runs(a), find_runs(b)
    _require_one_study([*runs_a.values(), *runs_b.values()])
    common = sorted(runs_a.keys() & runs_b.keys())
    if not common:
        expected = f"one of {_names(runs_a)}, the runs of {a}"
        raise InputError(b, "method, seed", _names(runs_b), expected)
    return Agreement(
        tuple(compare_run(runs_a[key], runs_b[key]) for key in common),
        tuple(sorted(runs_a.keys() - runs_b.keys())),
        tuple(sorted(runs_b.keys() - runs_a.keys())),
    )


def find_runs(folder: Path) -> dict[RunKey, Path]:
    """Find the runs of a folder by their records.

    Args:
        folder: Results folder, its folder ``runs``, or the folder of one run.

    Returns:
        The folder of each run, by method and seed.

    Raises:
        InputError: There is no such folder, or no run in it.
    """
    if not folder.is_dir():
        raise InputError(folder, "folder", "no such folder", "results, or the folder of a run")
    records = sorted(folder.glob("runs/*/seed*/run.json")) or sorted(
        folder.glob("*/seed*/run.json")
    )
    if (folder / "run.json").is_file():
        records = [folder / "run.json"]
    if not records:
        expected = "<method>/seed<seed>/run.json, with or without runs/ before it"
        raise InputError(folder, "runs", "none", expected)
    found = {}
    for record in records:
        content = read_json(record)
        found[content["method"], content["seed"]] = record.parent
    return found


def compare_run(a: Path, b: Path) -> RunAgreement:
    """Compare one run in two results.

    Args:
        a: The run's folder in A, with ``run.json`` and ``predictions.parquet``.
        b: Its folder in B.

    Returns:
        What differs.

    Raises:
        InputError: A file is missing, or the two predict different utterances or labels.
    """
    record_a, record_b = (read_json(run / "run.json") for run in (a, b))
    files = a / "predictions.parquet", b / "predictions.parquet"
    frame_a, frame_b = (read_predictions([file]) for file in files)
    _require_same_items(frame_a, frame_b, *files)
    values_a, values_b = (f["prediction"].to_numpy(np.float32) for f in (frame_a, frame_b))
    differences = np.abs(values_b.astype(np.float64) - values_a.astype(np.float64))
    return RunAgreement(
        record_a["method"],
        record_a["seed"],
        differences.size,
        bool(np.array_equal(values_a.view(np.uint32), values_b.view(np.uint32))),
        float(differences.max()),
        float(differences.mean()),
        _metric_differences(frame_a, frame_b),
        tuple(n for n in IDENTITIES if record_a[f"{n}_sha256"] != record_b[f"{n}_sha256"]),
        _environment_differences(record_a, record_b),
    )


def describe_agreement(agreement: Agreement, tolerance: float | None) -> dict[str, Any]:
    """Return JSON-able values of a comparison; a metric that is undefined is null.

    Args:
        agreement: The comparison.
        tolerance: What was tolerated, None if nothing was asked.

    Returns:
        The runs and the verdict ``within_tolerance``, null without a tolerance.
    """
    runs = []
    for run in agreement.runs:
        metrics = {n: value if math.isfinite(value) else None for n, value in run.metrics.items()}
        runs.append({**dataclasses.asdict(run), "metrics": metrics})
    within = None if tolerance is None else agreement.within(tolerance)
    lone = {"only_a": list(agreement.only_a), "only_b": list(agreement.only_b)}
    return {
        "schema": 1,
        "tolerance": tolerance,
        "within_tolerance": within,
        "runs": runs,
        **{side: [{"method": m, "seed": s} for m, s in keys] for side, keys in lone.items()},
    }


def agreement_frame(agreement: Agreement) -> pd.DataFrame:
    """Return one row a run: numbers, ``<metric>_difference``, and what differs as text."""
    rows = []
    for run in agreement.runs:
        row = dataclasses.asdict(run)
        row |= {f"{name}_difference": value for name, value in row.pop("metrics").items()}
        row["identities"] = " ".join(run.identities)
        changed = (f"{name}: {a} / {b}" for name, (a, b) in run.environment.items())
        row["environment"] = "; ".join(changed)
        rows.append(row)
    return pd.DataFrame(rows)


def _require_one_study(folders: Sequence[Path]) -> None:
    """Refuse runs of two studies."""
    first = read_json(folders[0] / "run.json")["study"]
    for folder in folders:
        study = read_json(folder / "run.json")["study"]
        if study != first:
            expected = f"{first}, the study of {folders[0]}"
            raise InputError(folder / "run.json", "study", study, expected)


def _require_same_items(a: pd.DataFrame, b: pd.DataFrame, file_a: Path, file_b: Path) -> None:
    """Refuse predictions of different utterances, or of utterances that differ."""
    items_a, items_b = (
        frame[ITEM].astype(dict.fromkeys(ITEM[:-1], str)).reset_index(drop=True) for frame in (a, b)
    )
    if items_a.equals(items_b):
        return
    keys_a, keys_b = (set(zip(i["split"], i["utterance"], strict=True)) for i in (items_a, items_b))
    for split, utterance in sorted(keys_a ^ keys_b):
        state = "missing" if (split, utterance) in keys_a else f"not in {file_a}"
        raise InputError(file_b, f"{split} utterance {utterance}", state, f"those of {file_a}")
    place = next(i for i in range(len(items_a)) if not items_a.iloc[i].equals(items_b.iloc[i]))
    found, expected = items_b.iloc[place], items_a.iloc[place]
    column = next(name for name in ITEM if found[name] != expected[name])
    where = f"{column} of {found['split']} utterance {found['utterance']}"
    raise InputError(file_b, where, found[column], f"{expected[column]}, as in {file_a}")


def _metric_differences(a: pd.DataFrame, b: pd.DataFrame) -> dict[str, float]:
    """Return B − A of every metric on the test split; nothing where it is not predicted."""
    chosen = [frame[frame["split"] == "test"] for frame in (a, b)]
    if chosen[0].empty:
        return {}
    labels = chosen[0]["label"].to_numpy(np.float64)
    predictions = np.stack([frame["prediction"].to_numpy(np.float64) for frame in chosen])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a constant row has no correlation
        values = {name: metric(labels, predictions) for name, metric in METRICS.items()}
    return {name: float(value[1] - value[0]) for name, value in values.items()}


def _environment_differences(
    a: Mapping[str, Any], b: Mapping[str, Any]
) -> dict[str, tuple[str, str]]:
    described = dict(_environment(a)), dict(_environment(b))
    names = dict.fromkeys(name for own in described for name in own)
    pairs = {name: tuple(own.get(name, "unknown") for own in described) for name in names}
    return {name: (first, second) for name, (first, second) in pairs.items() if first != second}


def _environment(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a run ran on and with, by name."""
    device, source = record.get("device", {}), record.get("source", {})
    yield "device", f"{device.get('type')}, {device.get('name')}"
    yield "precision", str(record.get("precision", "float32"))
    for name in ("threads", "matmul_precision"):
        yield name, str(record.get(name, "unknown"))
    for package, version in sorted(record.get("versions", {}).items()):
        yield package, str(version)
    yield "commit", f"{source.get('commit')}{' (edited)' if source.get('dirty') else ''}"


def _names(runs: Mapping[RunKey, Path]) -> str:
    return ", ".join(f"{method} {seed}" for method, seed in sorted(runs))
