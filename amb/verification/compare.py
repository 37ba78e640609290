"""The files of a results folder against those made again: each agrees, differs or is missing."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from amb.errors import InputError
from amb.files import sha256_of
from amb.foreign_files import MIB, checked_file
from amb.verification.differences import (
    Difference,
    csv_differences,
    json_differences,
    text_differences,
)
from amb.verification.steps import PICTURES

SAME_BYTES = "same bytes"
SAME_NUMBERS = "same numbers"
OTHER_BYTES = "other bytes"
LEFT_OUT = "left out"
NOT_DRAWN = "not drawn"
DIFFERS = "differs"
MISSING = "missing"
NOT_REBUILT = "not rebuilt"
EXTRA = "extra"
# What must not be; a picture with other bytes may be drawn by another version of Matplotlib.
WRONG = frozenset({DIFFERS, MISSING, NOT_REBUILT, EXTRA})
LARGEST = 32 * MIB
MOST_DIFFERENCES = 1000
MOST_EXTRA = 200
# Where a results folder keeps what steps make, and what else lies beside that.
MADE_IN = ("", "tables", "figures")
NOT_MADE = {
    *("study.json", "methods.json", "left_out.json", "report.html", "bundle.zip", "README.md"),
    *("index.html", "costs.csv"),
}


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Attributes:
        name: Its path in the folder.
        state: One of the states above.
        differences: Where it differs; at most ``MOST_DIFFERENCES``.
    """

    name: str
    state: str
    differences: tuple[Difference, ...] = ()


def compare_files(
    source: Path,
    out: Path,
    names: Sequence[str],
    left_out: Mapping[str, str],
    not_drawn: Collection[str] = (),
) -> list[FileResult]:
    """Compare the files of a folder with those made again, and name what no step makes.

    Args:
        source: The results folder, of unknown origin.
        out: The folder with the files made again.
        names: The files that the study's steps make.
        left_out: Pictures and pages that the folder says it leaves out, with their SHA-256.
        not_drawn: Figures among ``names`` that were not made again, as asked.

    Returns:
        A result for each of ``names``, then one for each file that is none of them.
    """
    results = [
        FileResult(name, NOT_DRAWN)
        if name in not_drawn
        else _compare(source, out, name, left_out.get(name))
        for name in names
    ]
    return results + [FileResult(name, EXTRA) for name in _extra(source, set(names))]


def _compare(source: Path, out: Path, name: str, left_out: str | None) -> FileResult:
    made = out / name
    if not made.is_file():
        return FileResult(name, NOT_REBUILT)
    try:
        found = checked_file(source, name, LARGEST)
    except InputError as error:
        return FileResult(name, DIFFERS, (Difference("file", str(error), "a regular file"),))
    if found is None:
        if left_out is None:
            return FileResult(name, MISSING)
        return FileResult(name, SAME_BYTES if sha256_of(made) == left_out else LEFT_OUT)
    content, rebuilt = found.read_bytes(), made.read_bytes()
    if content == rebuilt:
        return FileResult(name, SAME_BYTES)
    if made.suffix in PICTURES:
        return FileResult(name, OTHER_BYTES)
    differences = tuple(islice(_differences(made.suffix, content, rebuilt), MOST_DIFFERENCES))
    return FileResult(name, DIFFERS if differences else SAME_NUMBERS, differences)


def _differences(suffix: str, content: bytes, rebuilt: bytes) -> Iterator[Difference]:
    """Yield the differences of two files of a kind; what cannot be read differs as a whole."""
    try:
        found, made = content.decode("utf-8"), rebuilt.decode("utf-8")
        if suffix == ".csv":
            yield from csv_differences(found, made)
        elif suffix == ".json":
            yield from json_differences(json.loads(found), json.loads(made))
        else:
            yield from text_differences(found, made)
    except (ValueError, csv.Error, RecursionError) as error:
        yield Difference("file", f"unreadable: {str(error)[:200]}", f"a {suffix[1:]} file")


def _extra(source: Path, known: set[str]) -> list[str]:
    """Return the files beside the results that no step makes, and that are no known input."""
    found = []
    for place in MADE_IN:
        folder = source / place
        if folder.is_symlink() or not folder.is_dir():
            continue
        for entry in sorted(folder.iterdir()):
            name = entry.relative_to(source).as_posix()
            if entry.is_dir() or entry.name.startswith(".") or name in known | NOT_MADE:
                continue
            found.append(name)
    return found[:MOST_EXTRA]
