"""The files of a results folder that are handed on: what steps read, and what they made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq

from amb.resolved_study import CONFIG_STUDY
from amb.verification.inputs import Inputs


def copy_read(inputs: Inputs, target: Path, smaller: bool = False) -> None:
    """Copy what the steps read: study, claims, records, curves and predictions.

    Args:
        inputs: The checked copy of a results folder.
        target: Where to.
        smaller: Whether predictions are stored anew with a denser compression. Their values and
            what they say of their origin stay the same.
    """
    for file in sorted(path for path in inputs.folder.rglob("*") if path.is_file()):
        name = file.relative_to(inputs.folder)
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        as_written = inputs.source / name  # the copy's study is the one restored from study.json
        if name == Path("config", CONFIG_STUDY):
            if as_written.is_file():
                shutil.copyfile(as_written, copy)
        elif smaller and file.suffix == ".parquet":
            pq.write_table(pq.read_table(file), copy, compression="zstd", compression_level=19)
        else:
            shutil.copyfile(file, copy)


def copy_made(source: Path, target: Path, names: list[str]) -> None:
    """Copy what steps made, as it stands in the folder.

    Args:
        source: The results folder.
        target: Where to.
        names: The files.
    """
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
