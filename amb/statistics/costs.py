"""What every run cost: parameters, time and memory, from the records that training left.

Measurements cannot be computed again from predictions, so ``costs.csv`` keeps them beside these.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from amb.errors import InputError
from amb.evaluation.predictions import run_folder
from amb.files import read_json
from amb.study import Study

COST_COLUMNS = [
    *("method", "seed", "total_parameters", "trainable_parameters", "checkpoint_bytes"),
    *("epochs", "wall_time_s", "epoch_time_s", "cpu_time_s", "peak_memory_bytes"),
    *("device", "hardware", "threads", "packed_seeds", "identity_sha256"),
]

PLACE = ["device", "hardware", "threads", "packed_seeds"]  # what times can be compared within
COST_SUMMARY_COLUMNS = [
    *("method", *PLACE, "runs", "total_parameters", "trainable_parameters", "checkpoint_bytes"),
    *("epochs", "wall_time_s", "wall_time_s_min", "wall_time_s_max", "epoch_time_s"),
    *("cpu_time_s", "peak_memory_bytes"),
]


def summarise_costs(costs: pd.DataFrame) -> pd.DataFrame:
    """Summarise the costs of every method, each kind of hardware apart.

    Args:
        costs: ``COST_COLUMNS``.

    Returns:
        ``COST_SUMMARY_COLUMNS``, a row a method and place, in the order of the frame: medians over
        runs, but the largest memory and checkpoint. Times on different hardware, threads or packs
        are never averaged.
    """
    rows = []
    for (method, *place), own in costs.groupby(["method", *PLACE], sort=False, dropna=False):
        median, largest = own.median(numeric_only=True), own.max(numeric_only=True)
        numbers = {name: median[name] for name in COST_SUMMARY_COLUMNS if name in median.index}
        numbers |= {name: largest[name] for name in ("checkpoint_bytes", "peak_memory_bytes")}
        numbers |= {
            "wall_time_s_min": own["wall_time_s"].min(),
            "wall_time_s_max": own["wall_time_s"].max(),
        }
        named = dict(zip(PLACE, place, strict=True))
        rows.append({**numbers, "method": method, **named, "runs": len(own)})
    return pd.DataFrame(rows, columns=COST_SUMMARY_COLUMNS)


def read_costs(runs: Path, study: Study) -> pd.DataFrame:
    """Read what every run of a study cost.

    Args:
        runs: The folder ``results/<study>/runs``.
        study: The study.

    Returns:
        ``COST_COLUMNS``, a row a run in table order. ``wall_time_s`` is that of the whole run; of a
        run that was interrupted and resumed, whose record covers the last part, it is the sum over
        its epochs. ``epoch_time_s`` is the mean epoch, validation included. ``packed_seeds`` counts
        the seeds that trained as one model: times are its share, memory is that of all. What was
        not recorded, and the size of a checkpoint that is not there, is NaN.

    Raises:
        InputError: A record or a curve is missing a value or is unreadable.
    """
    rows = [
        {"method": name, "seed": seed, **_read_run(run_folder(runs, name, seed))}
        for name, row in study.methods.items()
        for seed in row.seeds
    ]
    return pd.DataFrame(rows, columns=COST_COLUMNS)


def _read_run(folder: Path) -> dict[str, Any]:
    file = folder / "run.json"
    try:
        record = read_json(file)
        epochs = _epoch_times(folder / "curve.csv")
        return {
            "total_parameters": record["parameters"]["total"],
            "trainable_parameters": record["parameters"]["trainable"],
            "checkpoint_bytes": _checkpoint_bytes(folder, record),
            "epochs": record.get("epochs", math.nan),
            "wall_time_s": max(record.get("wall_time_s", 0.0), sum(epochs)) or math.nan,
            "epoch_time_s": sum(epochs) / len(epochs) if epochs else math.nan,
            "cpu_time_s": record.get("cpu_time_s", math.nan),
            "peak_memory_bytes": record.get("peak_memory_bytes", math.nan),
            "device": record.get("device", {}).get("type", ""),
            "hardware": record.get("device", {}).get("name", ""),
            "threads": record.get("threads", math.nan),
            "packed_seeds": len(record.get("packed_seeds", [None])),
            "identity_sha256": record.get("identity_sha256", ""),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(file, "record", repr(error), "the record of this run") from error


def _checkpoint_bytes(folder: Path, record: dict[str, Any]) -> float:
    if "checkpoint_bytes" in record:
        return float(record["checkpoint_bytes"])
    file = folder / "checkpoint.safetensors"
    return file.stat().st_size if file.is_file() else math.nan


def _epoch_times(file: Path) -> list[float]:
    if not file.is_file():
        return []
    curve = pd.read_csv(file)
    return [float(seconds) for seconds in curve["wall_time_s"]]
