"""Whether the parts of a results folder belong together, by the hashes that they carry.

Every run names the study's configuration, the store and the backbone that it was trained on, and
its checkpoint; every prediction file names the checkpoint and the store that it follows from. What
is checked is that all of these agree. That a run was trained as its record says cannot be checked
from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amb.errors import InputError
from amb.evaluation.predictions import CLEAN_FILE, CORRUPTED_FILE, read_origin, run_folder
from amb.files import read_json
from amb.study import Study, digest, load_study
from amb.verification.inputs import RECORD, STORE_CARD, Inputs
from amb.verification.parquet_size import check_parquet_size

IDENTITY = (
    *("study", "method", "seed", "config_sha256", "store_sha256"),
    *("backbone_sha256", "source_sha256"),
)
TOKENIZER = "tokenizer_sha256"  # part of the identity; records of the first runs lack it
SAME_IN_ALL_RUNS = ("store_sha256", "backbone_sha256", TOKENIZER)


def check_integrity(inputs: Inputs) -> list[InputError]:
    """Check every run of a study against its record, and the records against each other.

    Args:
        inputs: The checked copy of a results folder.

    Returns:
        What does not belong together, each with both values; empty where all does.
    """
    problems: list[InputError] = []
    first: dict[str, tuple[str, Path]] = {}
    _adopt_store_card(inputs, first)
    for name, row in inputs.study.methods.items():
        view = _trained_with(inputs, name)
        for seed in row.seeds:
            folder = run_folder(inputs.folder / "runs", name, seed)
            try:
                record = read_record(folder / RECORD)
                expected = {"study": inputs.study.name, "method": name, "seed": seed}
                problems += _check_view(folder / RECORD, record, view)
                problems += check_identity(folder / RECORD, record, expected)
                problems += _check_same(folder / RECORD, record, first)
                problems += _check_predictions(folder, record, inputs.study)
            except InputError as problem:
                problems.append(problem)
    return problems


def _adopt_store_card(inputs: Inputs, first: dict[str, tuple[str, Path]]) -> None:
    """Take the store's own hash as the one that all runs must name, where the store is there."""
    card = inputs.folder / STORE_CARD
    if card.is_file():
        first["store_sha256"] = (str(read_record(card).get("content_hash")), card)


def read_record(file: Path) -> dict[str, Any]:
    """Read a JSON object of unknown origin.

    Args:
        file: The file.

    Returns:
        The object.

    Raises:
        InputError: It is no JSON, or no object.
    """
    try:
        record = read_json(file)
    except (ValueError, RecursionError) as error:
        raise InputError(file, "JSON", str(error)[:200], "a JSON file") from error
    if not isinstance(record, dict):
        raise InputError(file, "content", type(record).__name__, "an object")
    return record


def _trained_with(inputs: Inputs, method: str) -> Mapping[str, Any]:
    """Return what a row's training depends on: from the tuned study where recipes are applied."""
    tuned = inputs.study.recipe_row(method)
    study = load_study(inputs.folder / "tuned" / f"{tuned}.yaml") if tuned else inputs.study
    return study.training_view(method)


def _check_view(
    file: Path, record: Mapping[str, Any], view: Mapping[str, Any]
) -> Iterator[InputError]:
    """Yield a configuration that is not the one that the study has."""
    if record.get("config_sha256") != digest(view):
        wanted = f"{digest(view)}, that of this study"
        yield InputError(file, "config_sha256", record.get("config_sha256"), wanted)


def check_identity(
    file: Path, record: Mapping[str, Any], expected: Mapping[str, Any]
) -> Iterator[InputError]:
    """Check a run's record against its place, and its hashes against what they are taken of.

    Args:
        file: ``run.json``.
        record: Its content.
        expected: What its place says, by key.

    Yields:
        What contradicts, with both values.
    """
    for key, value in expected.items():
        if record.get(key) != value:
            yield InputError(file, key, record.get(key), f"{value!r}, as the folder is called")
    if _digest_of(record.get("config")) != record.get("config_sha256"):
        yield InputError(file, "config", "other values", "those that config_sha256 was taken of")
    missing = [key for key in IDENTITY if key not in record]
    if missing:
        yield InputError(file, "keys", f"no {', '.join(missing)}", "the record of a run")
        return
    stated = [*IDENTITY, *([TOKENIZER] if TOKENIZER in record else [])]
    identity = _digest_of({key: record[key] for key in stated})
    if record.get("identity_sha256") != identity:
        wanted = f"{identity}, that of the run's inputs"
        yield InputError(file, "identity_sha256", record.get("identity_sha256"), wanted)


def _digest_of(value: Any) -> str | None:
    """Return a digest, None of what has none: records may hold anything."""
    try:
        return digest(value)
    except (ValueError, RecursionError):
        return None


def _check_same(
    file: Path, record: Mapping[str, Any], first: dict[str, tuple[str, Path]]
) -> Iterator[InputError]:
    """Yield the data and backbone that a run does not share with the others."""
    for key in SAME_IN_ALL_RUNS:
        found = str(record.get(key))
        value, origin = first.setdefault(key, (found, file))
        if found != value:
            yield InputError(file, key, found, f"{value}, as in {origin}")


def _check_predictions(
    folder: Path, record: Mapping[str, Any], study: Study
) -> Iterator[InputError]:
    """Yield what predictions follow from that is not this run, this store or this grid."""
    grid = {"grid_sha256": digest(study.corruption_view())}
    for name, own in ((CLEAN_FILE, {}), (CORRUPTED_FILE, grid)):
        if (folder / name).is_file():
            yield from check_origin(folder / name, record, own)


def check_origin(
    file: Path, record: Mapping[str, Any], own: Mapping[str, str]
) -> Iterator[InputError]:
    """Check that predictions follow from a run, before any row is read.

    Args:
        file: The prediction file.
        record: The run's record.
        own: What else its origin must say, by name.

    Yields:
        What it follows from instead; a file that is too large raises at once.
    """
    check_parquet_size(file)
    origin = read_origin(file) or {}
    wanted = {key: str(record.get(key)) for key in ("checkpoint_sha256", "store_sha256")}
    for key, value in {**wanted, **own}.items():
        if origin.get(key) != value:
            allowed = f"{value}, which this run and study have"
            yield InputError(file, f"origin, {key}", origin.get(key), allowed)
