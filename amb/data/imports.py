"""From files, with or without roles, to a reader and its options: what ``amb data import`` does.

A study names reader, roles and options itself; here they follow from the files' content, and from
their names only where several files of one kind differ in nothing else (the splits of a data set).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from amb.data.dataset import SPLITS
from amb.data.formats import READERS
from amb.data.formats.folds import read_folds
from amb.data.formats.layouts import LAYOUTS
from amb.data.inspection.detect import detect
from amb.data.prepare import write_dataset
from amb.data.sources import FILE_OPTIONS
from amb.errors import InputError
from amb.study import DATA_DEFAULTS, check_data_section

_SPLIT_WORDS = {
    "train": re.compile(r"(?<![a-z])train(ing)?(?![a-z])"),
    "valid": re.compile(r"(?<![a-z])(valid(ation)?|dev|val)(?![a-z])"),
    "test": re.compile(r"(?<![a-z])test(ing)?(?![a-z])"),
}
_H5_WORDS = {
    "labels": re.compile(r"(?<![a-z])(y|labels?)(?![a-z])"),
    "audio": re.compile(r"(?<![a-z])(audio|covarep|acoustic)(?![a-z])"),
    "visual": re.compile(r"(?<![a-z])(video|visual|vision|facet)(?![a-z])"),
    "text_states": re.compile(r"(?<![a-z])(text|emb|glove)(?![a-z])"),
}


@dataclass(frozen=True)
class ImportRequest:
    """What a user asks for.

    Attributes:
        files: Files as given, each with its role (an option of the reader) or None.
        reader: The reader to use; by the files' content if None.
        dataset: ``mosi``, ``mosei``, ``sims`` or ``other``.
        label_offset: Added to every label (reader h5).
        folds: File with the split of each video (reader misa, one file), or None.
        largest_nonfinite_share: See ``write_store``.
        leakage_alarm: ``off``, ``warn`` or ``refuse``.
    """

    files: Sequence[tuple[str | None, Path]]
    reader: str | None = None
    dataset: str = "other"
    label_offset: float = 0.0
    folds: Path | None = None
    largest_nonfinite_share: float = DATA_DEFAULTS["largest_nonfinite_share"]
    leakage_alarm: str = DATA_DEFAULTS["leakage_alarm"]


def import_files(
    request: ImportRequest, out: Path, on_bytes: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Convert files to a store.

    Args:
        request: The files and what is known of them.
        out: The store's folder; replaced if it exists.
        on_bytes: Called with the number of bytes of features that were just written.

    Returns:
        The ``data`` section that makes the same store in a study, its paths relative to the
        folder that all files are in. What is hostile, damaged or breaks the contract is refused,
        and nothing is written.
    """
    root = Path(os.path.commonpath([file.absolute().parent for _, file in request.files]))
    layouts = {file: detect(file).layout for _, file in request.files}
    reader = request.reader or _reader_of(layouts)
    roles = _roles(reader, request.files, layouts)
    relative = {role: file.absolute().relative_to(root).as_posix() for role, file in roles.items()}
    options = {"dataset": request.dataset, **relative, **_settings(reader, request)}
    section = {"reader": reader, **_common(request), reader: options}
    _require_folds(reader, options, request.files)
    named = Path(", ".join(str(file) for _, file in request.files))
    check_data_section(section, named)
    dataset = READERS[reader](options, root)
    write_dataset(dataset, {**DATA_DEFAULTS, **section}, named, out, on_bytes)
    return section


def _reader_of(layouts: Mapping[Path, str]) -> str:
    readers = sorted({LAYOUTS[name].reader or "" for name in layouts.values()} - {""})
    # A table of texts and labels is its own data set, or the words of another.
    if len(readers) > 1 and "label_csv" in readers:
        readers.remove("label_csv")
    if len(readers) != 1:
        found = ", ".join(f"{file.name} ({name})" for file, name in layouts.items())
        raise InputError("files", "layouts", found, "files of one data set; or name a --reader")
    return readers[0]


def _roles(
    reader: str, files: Sequence[tuple[str | None, Path]], layouts: Mapping[Path, str]
) -> dict[str, Path]:
    """Give each file its role: the option of the reader that names it."""
    if reader not in FILE_OPTIONS or reader == "demo":
        raise InputError("--reader", "name", reader, f"one of {', '.join(sorted(READERS))}")
    roles: dict[str, Path] = {}
    for given, file in files:
        role = given or _guess(reader, file, layouts[file], len(files))
        if role not in FILE_OPTIONS[reader]:
            allowed = f"ROLE={file.name} with one of {', '.join(FILE_OPTIONS[reader])}"
            raise InputError(file, f"role for reader {reader}", given or "none", allowed)
        if role in roles:
            expected = f"one file; {roles[role].name} is given for it already"
            raise InputError(file, f"role {role}", file.name, expected)
        roles[role] = file
    return roles


def _guess(reader: str, file: Path, layout: str, files: int) -> str | None:
    """Return a file's role by its layout, or by its name among several of one layout."""
    name = file.stem.lower()
    if layout == "embeddings":
        return "embeddings"
    if layout == "folds":
        return "folds"
    if layout in ("transcripts", "label_csv") and reader != "label_csv":
        return "text"
    if reader in ("mmsa", "mag", "label_csv", "mult"):
        return "file"
    split = next((split for split, word in _SPLIT_WORDS.items() if word.search(name)), None)
    if reader == "misa":
        return split if files > 2 else "file"
    if reader == "h5":
        part = next((part for part, word in _H5_WORDS.items() if word.search(name)), None)
        return f"{split}_{part}" if split and part else None
    return None  # which csd holds labels, audio or visual features, only a person knows


def _common(request: ImportRequest) -> dict[str, Any]:
    """Return the options of the data section that every reader has, where they are not default."""
    keys = ("largest_nonfinite_share", "leakage_alarm")
    return {k: getattr(request, k) for k in keys if getattr(request, k) != DATA_DEFAULTS[k]}


def _require_folds(
    reader: str, options: Mapping[str, Any], files: Sequence[tuple[str | None, Path]]
) -> None:
    """One split of MISA's needs folds: the file does not say which videos are for testing."""
    if reader == "misa" and "file" in options and "folds" not in options:
        expected = "--folds FILE that splits its videos, or the files of all three splits"
        raise InputError(files[0][1], "splits", "one file without folds", expected)


def _settings(reader: str, request: ImportRequest) -> dict[str, Any]:
    """Return the options of a reader that are no files."""
    if reader == "h5":
        return {"label_offset": request.label_offset}
    if reader in ("mmsa", "mult"):
        return {"modalities": ["audio", "visual"]}
    if reader == "misa" and request.folds is not None:
        return {"folds": _read_split_lists(request.folds)}
    return {}


def _read_split_lists(file: Path) -> dict[str, list[str]]:
    """Read folds from YAML (train, valid, test: lists of videos) or from the SDK's text."""
    if file.suffix.lower() in (".yaml", ".yml", ".json"):
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(file, "YAML", str(error), "train, valid and test") from error
        lists = content if isinstance(content, dict) else {}
        for split in SPLITS:
            if not isinstance(lists.get(split), list):
                raise InputError(file, split, type(lists.get(split)).__name__, "a list of videos")
        return {split: [str(video) for video in lists[split]] for split in SPLITS}
    split_of = read_folds(file)
    return {split: [v for v, own in split_of.items() if own == split] for split in SPLITS}
