"""Read stored predictions, each file checked by itself and against the others.

Reading checks what later arithmetic takes for granted: the columns and their types, finite numbers,
no row twice, and that all runs of a split predict the same utterances against the same labels.

The files of a study repeat the same items in the same order, hundreds of times. So of a file whose
items are stored in the same bytes as those of a file that was checked before, only the predictions
are decoded, and the frame of all runs holds texts as categories.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from amb.errors import InputError
from amb.evaluation.prediction_file import PredictionFile
from amb.evaluation.predictions import (
    CLEAN_FILE,
    CORRUPTED_FILE,
    ITEM_COLUMNS,
    PREDICTION_COLUMNS,
    RUN_KEY,
    SPLITS,
    RunKey,
    check_rows,
    describe_run,
    items_digest,
    run_digest,
    run_folder,
)
from amb.study import Study


def read_predictions(paths: Iterable[Path]) -> pd.DataFrame:
    """Read and check prediction files.

    Args:
        paths: Parquet files with ``PREDICTION_COLUMNS``.

    Returns:
        One tidy frame, ordered by method, seed, split, corruption and utterance, so that the order
        of files and of rows within them changes nothing downstream. Texts are categories, in
        alphabetical order.

    Raises:
        InputError: A file is missing or unreadable, breaks the schema, has a row twice or a number
            that is not finite, or disagrees with another run about utterances, labels or videos.
    """
    return _as_frame(_read_checked(paths))


def read_study_predictions(
    runs: Path, study: Study, splits: Sequence[str] = SPLITS
) -> pd.DataFrame:
    """Read the predictions of exactly the runs that a study names.

    Args:
        runs: The folder ``results/<study>/runs``.
        study: The study; other runs in the folder are left alone.
        splits: What to return; all splits are checked. The training split is most of the rows.

    Returns:
        The frame of ``read_predictions``.

    Raises:
        InputError: A run has no predictions, or its file holds another run's.
    """
    expected = [(name, seed) for name, row in study.methods.items() for seed in row.seeds]
    files = {run: run_folder(runs, *run) / CLEAN_FILE for run in expected}
    for (method, seed), file in files.items():
        if not file.is_file():
            raise InputError(
                file, f"method {method}, seed {seed}", "no such file", "the predictions of this run"
            )
    predictions = _read_checked(files.values())
    found = {key[:2] for key in predictions}
    for run, file in files.items():
        if run not in found:
            raise InputError(file, "method, seed", "another run's rows", f"{run[0]}, {run[1]}")
    if len(found) != len(expected):
        extra = sorted(found - set(expected))[0]
        raise InputError(runs, "method, seed", f"{extra[0]}, {extra[1]}", "only the study's runs")
    return _as_frame({key: run for key, run in predictions.items() if key[2] in splits})


def read_robustness_predictions(runs: Path, study: Study, rows: Sequence[str]) -> pd.DataFrame:
    """Read clean and corrupted predictions of some rows of a study with a grid.

    Args:
        runs: The folder ``results/<study>/runs``.
        study: The study.
        rows: The rows.

    Returns:
        The frame of ``read_predictions``; a corruption that is not applicable to a method has no
        rows.

    Raises:
        InputError: A run lacks one of its two files, or they hold another run's rows.
    """
    expected = {(row, seed) for row in rows for seed in study.methods[row].seeds}
    folders = [run_folder(runs, *run) for run in sorted(expected)]
    names = (CLEAN_FILE, CORRUPTED_FILE)
    everything = read_predictions(folder / name for folder in folders for name in names)
    clean = everything["corruption"] == "none"
    for name, own in zip(names, (everything[clean], everything[~clean]), strict=True):
        found = own[["method", "seed"]].drop_duplicates().itertuples(index=False, name=None)
        odd = sorted(expected ^ set(found))
        if odd:
            method, seed = odd[0]
            state = "none" if odd[0] in expected else "rows of a run that is not the study's"
            raise InputError(runs, f"{name}, {method}, seed {seed}", state, "exactly the study's")
    return everything


def rows_with_corrupted(runs: Path, study: Study, rows: Sequence[str]) -> list[str]:
    """Return those of some rows that the study has, and whose runs all have corrupted ones."""
    return [
        row
        for row in rows
        if row in study.methods
        and all(
            (run_folder(runs, row, seed) / CORRUPTED_FILE).is_file()
            for seed in study.methods[row].seeds
        )
    ]


@dataclass(frozen=True)
class _Run:
    """One run on one split: its items (utterance, video, label) and its predictions, aligned."""

    items: pd.DataFrame
    predictions: NDArray[np.float32]


@dataclass(frozen=True)
class _Layout:
    """The items of a checked file of one method and seed.

    Attributes:
        stored: The item columns as they are stored.
        digest: Their ``items_digest``.
        parts: Split, corruption, items by utterance, and the rows that these stand in.
    """

    stored: tuple[Any, ...]
    digest: str
    parts: list[tuple[str, str, pd.DataFrame, NDArray[np.int64]]]


def _read_checked(paths: Iterable[Path]) -> dict[RunKey, _Run]:
    """Read files and check them, each by itself and against the others."""
    runs: dict[RunKey, _Run] = {}
    origin: dict[RunKey, Path] = {}
    layouts: list[_Layout] = []
    for path in map(Path, paths):
        for key, run in _read_runs(path, layouts):
            if key in runs:
                raise InputError(
                    path, describe_run(key), f"the same run as in {origin[key]}", "every run once"
                )
            runs[key] = run
            origin[key] = path
    if not runs:
        raise InputError("predictions", "files", "none", "at least one prediction file")
    _check_same_items(runs, origin)
    _check_same_splits(runs, origin)
    return runs


def _read_runs(path: Path, layouts: list[_Layout]) -> Iterator[tuple[RunKey, _Run]]:
    """Yield the runs of a file; a layout that is new is added to ``layouts``."""
    file = PredictionFile(path)
    stored = file.as_stored(ITEM_COLUMNS)
    table = file.read(["method", "seed", "prediction"])
    predictions = table.column("prediction").to_numpy()
    (method, one_method), (seed, one_seed) = map(_first_value, table.columns[:2])
    layout = next((known for known in layouts if known.stored == stored), None)
    if layout and one_method and one_seed and np.isfinite(predictions).all():
        file.require_content(partial(run_digest, layout.digest, table))
        for split, corruption, items, rows in layout.parts:
            yield (method, seed, split, corruption), _Run(items, predictions[rows])
        return
    whole = file.read(PREDICTION_COLUMNS)
    frame: pd.DataFrame = whole.to_pandas()
    check_rows(path, frame)
    items_sha256 = items_digest(whole)
    file.require_content(partial(run_digest, items_sha256, whole))
    parts = []
    for key, run in frame.groupby(RUN_KEY, sort=False):
        method, seed, split, corruption = cast(RunKey, key)
        ordered = run.sort_values("utterance")
        items = ordered[["utterance", "video", "label"]].reset_index(drop=True)
        rows = ordered.index.to_numpy()
        parts.append((split, corruption, items, rows))
        yield (method, seed, split, corruption), _Run(items, predictions[rows])
    if one_method and one_seed:
        layouts.append(_Layout(stored, items_sha256, parts))


def _first_value(column: pa.ChunkedArray) -> tuple[Any, bool]:
    """Return a column's first value, and whether it is its only one."""
    return column[0].as_py(), pc.all(pc.equal(column, column[0])).as_py()


def _as_frame(runs: Mapping[RunKey, _Run]) -> pd.DataFrame:
    """Return checked runs as one frame: the items of a split are the same in all of them."""
    keys = sorted(runs)
    sizes = [runs[key].predictions.size for key in keys]
    items = {key[2]: runs[key].items for key in keys}

    def of_runs(values: Sequence[str]) -> pd.Categorical:
        names, codes = np.unique(np.asarray(values, dtype=object), return_inverse=True)
        small = codes.astype(np.min_scalar_type(-len(names)))
        return pd.Categorical.from_codes(np.repeat(small, sizes), categories=pd.Index(names))

    def of_items(column: str) -> pd.Categorical:
        names = pd.Index(sorted({name for own in items.values() for name in own[column].tolist()}))
        small = np.min_scalar_type(-len(names))
        codes = {
            split: names.get_indexer(pd.Index(own[column])).astype(small)
            for split, own in items.items()
        }
        everything = np.concatenate([codes[key[2]] for key in keys])
        return pd.Categorical.from_codes(everything, categories=names)

    methods, seeds, splits, corruptions = zip(*keys, strict=True)
    labels = {split: own["label"].to_numpy() for split, own in items.items()}
    return pd.DataFrame(
        {
            "method": of_runs(methods),
            "seed": np.repeat(np.array(seeds, dtype=np.int64), sizes),
            "split": of_runs(splits),
            "corruption": of_runs(corruptions),
            "utterance": of_items("utterance"),
            "video": of_items("video"),
            "label": np.concatenate([labels[key[2]] for key in keys]),
            "prediction": np.concatenate([runs[key].predictions for key in keys]),
        },
        copy=False,
    )


def _check_same_items(runs: Mapping[RunKey, _Run], origin: Mapping[RunKey, Path]) -> None:
    """Refuse runs that disagree with the first run of their split."""
    first: dict[str, RunKey] = {}
    for key, run in runs.items():
        reference_key = first.setdefault(key[2], key)
        own, reference = run.items, runs[reference_key].items
        if own is reference:
            continue
        same_as = f"the same as {origin[reference_key]}"
        if not own["utterance"].equals(reference["utterance"]):
            odd = sorted(set(own["utterance"]) ^ set(reference["utterance"]))[0]
            state = "one too many" if (own["utterance"] == odd).any() else "missing"
            raise InputError(origin[key], f"{describe_run(key)}, utterance {odd}", state, same_as)
        for column in ("label", "video"):
            differs = np.flatnonzero(own[column].to_numpy() != reference[column].to_numpy())
            if differs.size:
                where = f"{describe_run(key)}, {column} of {own['utterance'].iloc[differs[0]]}"
                found, wanted = (frame[column].tolist()[differs[0]] for frame in (own, reference))
                raise InputError(origin[key], where, found, f"{wanted}, {same_as}")


def _check_same_splits(runs: Mapping[RunKey, _Run], origin: Mapping[RunKey, Path]) -> None:
    splits: dict[tuple[str, int], set[str]] = {}
    for method, seed, split, _ in runs:
        splits.setdefault((method, seed), set()).add(split)
    everything = set().union(*splits.values())
    for key in runs:
        missing = sorted(everything - splits[key[:2]])
        if missing:
            where = f"{key[0]}, seed {key[1]}"
            raise InputError(origin[key], where, f"no split {missing[0]}", "the others' splits")
