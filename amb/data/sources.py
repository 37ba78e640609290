"""The files that a study's data come from. Light to import: the workflow asks for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from amb.data.releases import known_release
from amb.errors import InputError
from amb.files import sha256_of
from amb.study import Study

DATA_ROOT_VARIABLE = "AMB_DATA_ROOT"

# Which options of a reader name files, relative to the data root.
FILE_OPTIONS = {
    "demo": (),
    "csd": ("labels", "folds", "text", "audio", "visual"),
    "mmsa": ("file",),
    "misa": ("train", "valid", "test", "file", "embeddings"),
    "mag": ("file",),
    "mult": ("file", "text"),
    "h5": tuple(
        f"{split}_{part}"
        for split in ("train", "valid", "test")
        for part in ("labels", "audio", "visual", "text_states")
    ),
    "label_csv": ("file",),
}


def default_data_root() -> Path:
    """Return the folder that ``AMB_DATA_ROOT`` names, or ``data`` where it is not set."""
    return Path(os.environ.get(DATA_ROOT_VARIABLE) or "data")


def source_files(study: Study, data_root: Path) -> list[Path]:
    """Return the files that preparing a study's store reads, whether or not they exist."""
    reader = study.data["reader"]
    return list(named_files(reader, study.data[reader], data_root).values())


def named_files(reader: str, options: dict[str, Any], data_root: Path) -> dict[str, Path]:
    """Return a reader's files by option, in the order of ``FILE_OPTIONS``."""
    return {key: data_root / options[key] for key in FILE_OPTIONS[reader] if key in options}


def require_sources(study: Study, data_root: Path) -> None:
    """Check that all source files of a study are there.

    Args:
        study: The study.
        data_root: The folder that the study's paths are relative to.

    Raises:
        InputError: A file is missing, or the study names it by a path that leaves the data root.
    """
    reader = study.data["reader"]
    options = study.data[reader]
    for key, file in named_files(reader, options, data_root).items():
        if Path(options[key]).is_absolute() or ".." in Path(options[key]).parts:
            expected = "a path relative to the data root, and below it"
            raise InputError(study.file, f"data.{reader}.{key}", options[key], expected)
        if not file.is_file():
            raise InputError(
                file,
                f"data.{reader}.{key} of {study.file}",
                "no such file",
                "a file under the data root",
                f"Set {DATA_ROOT_VARIABLE} or --data-root to the folder that holds {options[key]}",
            )


def described(reader: str, options: dict[str, Any], data_root: Path) -> list[dict[str, Any]]:
    """Return what a store's card says of each source.

    Args:
        reader: The reader.
        options: The study's section for it; ``sha256``, if given, is what its ``file`` must have.
        data_root: The folder that its paths are relative to.

    Returns:
        Key, relative name, SHA-256 and bytes of each.

    Raises:
        InputError: The file has another SHA-256.
    """
    sources = [
        {
            "key": key,
            "name": Path(options[key]).as_posix(),
            "sha256": sha256_of(file),
            "bytes": file.stat().st_size,
        }
        for key, file in named_files(reader, options, data_root).items()
    ]
    for source in sources:
        expected = options.get("sha256", source["sha256"])
        if source["key"] == "file" and source["sha256"] != expected:
            name = known_release(expected) or "the file that the study names"
            raise InputError(
                data_root / options["file"],
                f"SHA-256 (data.{reader}.sha256 of the study)",
                source["sha256"],
                f"{expected}, {name}",
                "`amb data inspect` says what this file is; to use it all the same, copy the study"
                " and leave the line out",
            )
    return sources
