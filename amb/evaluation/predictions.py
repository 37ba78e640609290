"""Stored predictions: the only input of every table, figure and verdict.

One Parquet file a run (method, seed), one row an utterance and split. Reading checks what later
arithmetic takes for granted: the columns and their types, finite numbers, no row twice, and that
all runs of a split predict the same utterances against the same labels.

The files of a study repeat the same items in the same order, hundreds of times. So a file whose
items are byte for byte those of a file that was checked before is read as its predictions alone,
and the frame of all runs holds texts as categories.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from amb.errors import InputError
from amb.evaluation.metrics import Floats
from amb.files import atomic_path
from amb.study import Study

PREDICTION_SCHEMA = pa.schema(
    {
        "method": pa.string(),
        "seed": pa.int64(),
        "split": pa.string(),
        "corruption": pa.string(),
        "utterance": pa.string(),
        "video": pa.string(),
        "label": pa.float32(),
        "prediction": pa.float32(),
    }
)
PREDICTION_COLUMNS: tuple[str, ...] = tuple(PREDICTION_SCHEMA.names)
SPLITS = ("train", "valid", "test")

ORIGIN = b"amb"

RUN_KEY = ["method", "seed", "split", "corruption"]
ITEM_COLUMNS = ["split", "corruption", "utterance", "video", "label"]

RunKey = tuple[str, int, str, str]


@dataclass(frozen=True)
class MethodRuns:
    """All runs of one method on one split, as aligned arrays in a canonical order.

    Attributes:
        method: Name of the method.
        seeds: (S,) int64, ascending.
        utterances: (N,) ids, ordered by video, then id.
        videos: (N,) video of every utterance.
        labels: (N,) float64.
        predictions: (S, N) float64.
    """

    method: str
    seeds: NDArray[np.int64]
    utterances: NDArray[np.object_]
    videos: NDArray[np.object_]
    labels: Floats
    predictions: Floats


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


def write_predictions(path: Path, frame: pd.DataFrame, origin: Mapping[str, str]) -> None:
    """Check a frame and write it as Parquet, atomically; numbers are stored as float32.

    What ``read_predictions`` would refuse in one file is refused here already.

    Args:
        path: The file to write.
        frame: Rows with ``PREDICTION_COLUMNS``.
        origin: What the predictions follow from (hashes, by name), kept in the file.
    """
    _check_names(path, list(frame.columns))
    ordered = frame[list(PREDICTION_COLUMNS)].astype(
        {"seed": "int64", "label": "float32", "prediction": "float32"}
    )
    _check_rows(path, ordered)
    table = pa.Table.from_pandas(ordered, schema=PREDICTION_SCHEMA, preserve_index=False)
    metadata = {ORIGIN: json.dumps(dict(origin), sort_keys=True)}
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary)


def read_origin(path: Path) -> dict[str, str] | None:
    """Return what a file's predictions follow from; None where there is no such file.

    Args:
        path: A prediction file.

    Returns:
        The ``origin`` that it was written with, empty where it has none.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        return None
    origin: dict[str, str] = json.loads(metadata.get(ORIGIN, b"{}"))
    return origin


def run_folder(runs: Path, method: str, seed: int) -> Path:
    """Return the folder of one run below a study's ``runs`` folder."""
    return runs / method / f"seed{seed}"


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
    files = {run: run_folder(runs, *run) / "predictions.parquet" for run in expected}
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


def read_robustness_predictions(runs: Path, study: Study) -> pd.DataFrame:
    """Read clean and corrupted predictions of the compared rows of a study with a grid.

    Args:
        runs: The folder ``results/<study>/runs``.
        study: The study.

    Returns:
        The frame of ``read_predictions``; a corruption that is not applicable to a method has no
        rows.

    Raises:
        InputError: A run lacks one of its two files, or they hold another run's rows.
    """
    rows = study.compared().methods
    expected = {(name, seed) for name, row in rows.items() for seed in row.seeds}
    folders = [run_folder(runs, *run) for run in sorted(expected)]
    names = ("predictions.parquet", "corrupted.parquet")
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


def runs_by_method(
    predictions: pd.DataFrame, split: str = "test", corruption: str = "none"
) -> dict[str, MethodRuns]:
    """Arrange the predictions of one split as one matrix a method.

    Args:
        predictions: Frame of ``read_predictions``, rows in any order.
        split: Which split.
        corruption: Which corruption of the inputs.

    Returns:
        Method name, in alphabetical order, to its runs.

    Raises:
        InputError: There is no row of that split and corruption.
    """
    chosen = predictions[
        (predictions["split"] == split) & (predictions["corruption"] == corruption)
    ]
    if chosen.empty:
        found = sorted(predictions["split"].unique())
        raise InputError("predictions", "split", found, f"{split} (corruption {corruption})")
    method_of_row, methods = pd.factorize(chosen["method"], sort=True)
    if np.any(np.diff(method_of_row) < 0):
        order = np.argsort(method_of_row, kind="stable")
        chosen, method_of_row = chosen.iloc[order], method_of_row[order]
    edges = np.searchsorted(method_of_row, np.arange(len(methods) + 1))
    return {
        str(name): _align(str(name), chosen.iloc[start:end])
        for name, start, end in zip(methods, edges[:-1], edges[1:], strict=True)
    }


def _align(method: str, rows: pd.DataFrame) -> MethodRuns:
    run_of_row, seeds = pd.factorize(rows["seed"].to_numpy(dtype=np.int64), sort=True)
    item_of_row, utterances = pd.factorize(rows["utterance"])
    # Items are numbered as they appear, so the largest number so far grows where one is new.
    first = np.flatnonzero(np.diff(np.maximum.accumulate(item_of_row), prepend=-1))
    items = pd.DataFrame(
        {
            "video": rows["video"].iloc[first].to_numpy(dtype=object),
            "utterance": utterances.to_numpy(dtype=object),
            "label": rows["label"].iloc[first].to_numpy(dtype=np.float64),
        }
    ).sort_values(["video", "utterance"])
    place = np.empty(len(items), dtype=np.int64)
    place[items.index.to_numpy()] = np.arange(len(items))
    matrix = np.full((seeds.size, len(items)), np.nan)
    matrix[run_of_row, place[item_of_row]] = rows["prediction"].to_numpy()
    if np.isnan(matrix).any():
        raise ValueError(f"{method}: its runs do not cover the same utterances")
    return MethodRuns(
        method=method,
        seeds=seeds,
        utterances=items["utterance"].to_numpy(dtype=object),
        videos=items["video"].to_numpy(dtype=object),
        labels=items["label"].to_numpy(),
        predictions=matrix,
    )


@dataclass(frozen=True)
class _Run:
    """One run on one split: its items (utterance, video, label) and its predictions, aligned."""

    items: pd.DataFrame
    predictions: NDArray[np.float32]


@dataclass(frozen=True)
class _Layout:
    """The items of a checked file of one method and seed.

    Attributes:
        columns: The item columns as they stand in the file.
        parts: Split, corruption, items by utterance, and the rows that these stand in.
    """

    columns: pa.Table
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
                    path, _describe(key), f"the same run as in {origin[key]}", "every run once"
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
    table = _read_table(path)
    methods, seeds = (table.column(name).unique().to_pylist() for name in ("method", "seed"))
    columns = table.select(ITEM_COLUMNS)
    predictions = table.column("prediction").to_numpy()
    layout = next((known for known in layouts if known.columns.equals(columns)), None)
    one_run = len(methods) == len(seeds) == 1
    if layout and one_run and np.isfinite(predictions).all():
        for split, corruption, items, rows in layout.parts:
            yield (methods[0], seeds[0], split, corruption), _Run(items, predictions[rows])
        return
    frame: pd.DataFrame = table.to_pandas()
    _check_rows(path, frame)
    parts = []
    for key, run in frame.groupby(RUN_KEY, sort=False):
        method, seed, split, corruption = cast(RunKey, key)
        ordered = run.sort_values("utterance")
        items = ordered[["utterance", "video", "label"]].reset_index(drop=True)
        rows = ordered.index.to_numpy()
        parts.append((split, corruption, items, rows))
        yield (method, seed, split, corruption), _Run(items, predictions[rows])
    if one_run:
        layouts.append(_Layout(columns, parts))


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
        names = pd.Index(sorted({name for own in items.values() for name in own[column]}))
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


def _read_table(path: Path) -> pa.Table:
    """Return a file's columns, checked by name and type, and for empty cells."""
    if not path.is_file():
        raise InputError(path, "file", "no such file", "a prediction file (Parquet)")
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(path, "file", str(error).split("\n")[0], "a Parquet file") from error
    _check_names(path, table.column_names)
    for name in PREDICTION_COLUMNS:
        found, wanted = table.schema.field(name).type, PREDICTION_SCHEMA.field(name).type
        same_text = wanted == pa.string() and pa.types.is_large_string(found)
        if found != wanted and not same_text:
            raise InputError(path, f"column {name}", str(found), f"type {wanted}")
        # An empty number reads as NaN and is reported with its utterance below.
        if table.column(name).null_count and not pa.types.is_floating(wanted):
            raise InputError(path, f"column {name}", "an empty cell", f"a {wanted} in every row")
    if not table.num_rows:
        raise InputError(path, "rows", 0, "at least one row")
    return table.select(list(PREDICTION_COLUMNS))


def _check_names(path: Path, names: Sequence[str]) -> None:
    for name in PREDICTION_COLUMNS:
        if name not in names:
            raise InputError(path, "columns", f"no {name}", f"column {name}")
    for name in names:
        if name not in PREDICTION_COLUMNS:
            raise InputError(path, "columns", f"{name}", f"only {', '.join(PREDICTION_COLUMNS)}")


def _check_rows(path: Path, frame: pd.DataFrame) -> None:
    if frame.empty:
        raise InputError(path, "rows", 0, "at least one row")
    for name in ("label", "prediction"):
        values = frame[name].to_numpy()
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            where = f"column {name}, utterance {frame['utterance'].iloc[wrong[0]]}"
            raise InputError(path, where, float(values[wrong[0]]), "a finite number")
    unknown = sorted(set(frame["split"]) - set(SPLITS))
    if unknown:
        raise InputError(path, "column split", unknown[0], f"one of {', '.join(SPLITS)}")
    twice = frame.duplicated([*RUN_KEY, "utterance"])
    if twice.any():
        row = frame[twice].iloc[0]
        where = f"{_describe(tuple(row[RUN_KEY]))}, utterance {row['utterance']}"
        raise InputError(path, where, "two rows", "one row")


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
            raise InputError(origin[key], f"{_describe(key)}, utterance {odd}", state, same_as)
        for column in ("label", "video"):
            differs = np.flatnonzero(own[column].to_numpy() != reference[column].to_numpy())
            if differs.size:
                where = f"{_describe(key)}, {column} of {own['utterance'].iloc[differs[0]]}"
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


def _describe(key: RunKey) -> str:
    method, seed, split, corruption = key
    return f"{method}, seed {seed}, split {split}, corruption {corruption}"
