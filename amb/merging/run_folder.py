"""One run out of a results folder of unknown origin: found by its name, copied, then checked.

Names are not taken from what a file says but matched against what a run folder is called, links are
refused on the whole way, and only the files of a run are copied: regular ones, no larger than such
a file can be. What is checked is the copy.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from amb.errors import InputError
from amb.evaluation.predictions import CLEAN_FILE, CORRUPTED_FILE
from amb.evaluation.reading import read_predictions
from amb.files import sha256_of
from amb.foreign_files import checked_file
from amb.verification.inputs import (
    CURVE,
    EVALUATED,
    FUSION_NORMS,
    LARGEST,
    MOST_RUNS,
    RECORD,
)
from amb.verification.integrity import check_identity, check_origin, read_record

CHECKPOINT = "checkpoint.safetensors"
LARGEST_CHECKPOINT = 4 * 2**30
# In the order in which a run writes them; the record makes a run complete.
REQUIRED = (CHECKPOINT, CURVE, RECORD)
OPTIONAL = (EVALUATED, CLEAN_FILE, CORRUPTED_FILE, FUSION_NORMS)
_METHOD = re.compile(r"[a-z][a-z0-9_]{0,99}")
_SEED = re.compile(r"seed(0|[1-9][0-9]{0,9})")

RunKey = tuple[str, int]


def find_run_folders(source: Path) -> tuple[list[RunKey], list[RunKey]]:
    """Find the runs of a results folder by the names of their folders.

    Args:
        source: The results folder.

    Returns:
        The runs that have a record, and those that have none: interrupted, or not yet begun.

    Raises:
        InputError: There is no such folder, no run in it, a link, or more runs than a study has.
    """
    if not (source / "runs").is_dir():
        raise InputError(source, "runs", "no such folder", "a results folder with runs/")
    complete: list[RunKey] = []
    others: list[RunKey] = []
    for method in _folders(source / "runs", _METHOD):
        for folder in _folders(method, _SEED):
            key = method.name, int(folder.name.removeprefix("seed"))
            (complete if os.path.lexists(folder / RECORD) else others).append(key)
            if len(complete) + len(others) > MOST_RUNS:
                raise InputError(source, "runs", "more runs", f"{MOST_RUNS:,} runs at most")
    if not complete:
        raise InputError(source, "runs", "none that is complete", "<method>/seed<seed>/run.json")
    return complete, others


def copy_run(source: Path, key: RunKey, target: Path) -> None:
    """Copy the files of a run; times are kept, which say when labels were first read.

    Args:
        source: The results folder.
        key: Method and seed.
        target: The folder to make.

    Raises:
        InputError: A file is missing, a link, no regular file, or too large.
    """
    target.mkdir(parents=True)
    for name in (*REQUIRED, *OPTIONAL):
        relative = f"runs/{key[0]}/seed{key[1]}/{name}"
        _refuse_links(source, relative)
        file = checked_file(source, relative, LARGEST.get(Path(name).suffix, LARGEST_CHECKPOINT))
        if file is None:
            if name in REQUIRED:
                hint = "References and bundles leave checkpoints out, and cannot be merged"
                expected = "a file of a run that has a record"
                raise InputError(source / relative, "file", "no such file", expected, hint)
            continue
        shutil.copyfile(file, target / name)
        times = file.stat()
        os.utime(target / name, ns=(times.st_atime_ns, times.st_mtime_ns))


def check_run(folder: Path, key: RunKey) -> dict[str, Any]:
    """Check that the files of a run are whole and belong together.

    Args:
        folder: The run's folder.
        key: Method and seed that it should be of.

    Returns:
        The run's record.

    Raises:
        InputError: They are not, with both values.
    """
    record = read_record(folder / RECORD)
    for problem in check_identity(folder / RECORD, record, {"method": key[0], "seed": key[1]}):
        raise problem
    _check_checkpoint(folder / CHECKPOINT, record)
    for name in (CLEAN_FILE, CORRUPTED_FILE):
        if (folder / name).is_file():
            for problem in check_origin(folder / name, record, {}):
                raise problem
            _check_rows(folder / name, key)
    return record


def _folders(folder: Path, names: re.Pattern[str]) -> Iterator[Path]:
    """Yield the folders below a folder that are called as they should be; the rest is no run."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if not names.fullmatch(entry.name):
            continue
        if entry.is_symlink():
            raise InputError(entry.path, "link", str(Path(entry.path).readlink()), "a folder")
        if entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)


def _refuse_links(source: Path, relative: str) -> None:
    """Refuse a link anywhere between a results folder and one of its files."""
    path = source
    for part in Path(relative).parts:
        path = path / part
        if path.is_symlink():
            raise InputError(path, "link", str(path.readlink()), "a file of the folder itself")


def _check_checkpoint(file: Path, record: dict[str, Any]) -> None:
    """Refuse a checkpoint that the record does not name, or that names another run."""
    found = sha256_of(file)
    if found != record.get("checkpoint_sha256"):
        expected = f"{record.get('checkpoint_sha256')}, that of {file.with_name(RECORD)}"
        raise InputError(file, "SHA-256", found, expected)
    try:
        with safe_open(file, framework="np") as opened:
            identity = json.loads((opened.metadata() or {}).get("amb", "{}"))
        own = identity["identity_sha256"]
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(file, "content", str(error)[:200], "a run's checkpoint") from error
    if own != record["identity_sha256"]:
        raise InputError(file, "identity_sha256", own, f"{record['identity_sha256']} of the record")


def _check_rows(file: Path, key: RunKey) -> None:
    """Refuse a prediction file that is damaged or has another run's rows."""
    frame = read_predictions([file])
    methods: Sequence[str] = frame["method"].unique().tolist()
    seeds: Sequence[int] = frame["seed"].unique().tolist()
    if (methods, seeds) != ([key[0]], [key[1]]):
        raise InputError(file, "method, seed", f"{methods}, {seeds}", f"{key[0]}, {key[1]}")
