"""Training curves of all runs, as one tidy frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from amb.evaluation.predictions import run_folder
from amb.reporting.inputs import CURVE, read_table


def read_curves(runs: Path, seeds: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """Read the training curves of all runs.

    Args:
        runs: Folder of the runs, ``<method>/seed<seed>/curve.csv`` inside.
        seeds: The seeds of each method.

    Returns:
        One row an epoch of a run: method, seed, epoch, valid_mae.
    """
    curves = [
        read_table(run_folder(runs, method, seed) / "curve.csv", CURVE).assign(
            method=method, seed=seed
        )
        for method, own_seeds in seeds.items()
        for seed in own_seeds
    ]
    return pd.concat(curves, ignore_index=True)[["method", "seed", "epoch", "valid_mae"]]
