"""Two versions of one file, number by number where it holds numbers, else letter by letter.

Numbers agree if they are equal, within ``RELATIVE`` of each other, or within ``ABSOLUTE``: another
processor or build of NumPy adds in another order, and what cancels keeps only the absolute size of
its rounding. docs/verify.md says what was measured. Everything else must be the same.
"""

from __future__ import annotations

import csv
import difflib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

RELATIVE = 1e-9
ABSOLUTE = 1e-12
MISSING = "—"
MOST_PAIRS = 10_000_000


@dataclass(frozen=True)
class Difference:
    """One place at which two versions of a file differ.

    Attributes:
        place: Row and column, path of a key, or line.
        found: What the folder says.
        rebuilt: What was made again.
    """

    place: str
    found: str
    rebuilt: str


def csv_differences(found: str, rebuilt: str) -> Iterator[Difference]:
    """Yield the cells of two CSV files that differ.

    Args:
        found: The folder's file.
        rebuilt: The file made again.

    Yields:
        The differences, in order.
    """
    ours, theirs = (list(csv.reader(text.splitlines())) for text in (rebuilt, found))
    header, rows = (ours[0], ours[1:]) if ours else ([], [])
    if (theirs[0] if theirs else []) != header:
        yield Difference("heading", ",".join(theirs[0] if theirs else []), ",".join(header))
        return
    if len(theirs) != len(ours):
        yield Difference("rows", str(max(0, len(theirs) - 1)), str(len(rows)))
    for number, (row, other) in enumerate(zip(rows, theirs[1:], strict=False), start=2):
        if len(row) != len(other):
            yield Difference(f"row {number}", f"{len(other)} cells", f"{len(row)} cells")
            continue
        for name, ours_cell, theirs_cell in zip(header, row, other, strict=True):
            if not _same_cell(theirs_cell, ours_cell):
                place = f"row {number} ({_row_name(row)}), {name}"
                yield Difference(place, theirs_cell, ours_cell)


def json_differences(found: Any, rebuilt: Any, place: str = "") -> Iterator[Difference]:
    """Yield the values of two JSON documents that differ.

    Args:
        found: The folder's, parsed.
        rebuilt: The one made again, parsed.
        place: Path of the key that both stand under.

    Yields:
        The differences, in order.
    """
    if isinstance(found, dict) and isinstance(rebuilt, dict):
        for key in sorted({*found, *rebuilt}):
            inner = f"{place}.{key}".lstrip(".")
            if key not in found or key not in rebuilt:
                yield Difference(inner, _shown(found, key), _shown(rebuilt, key))
            else:
                yield from json_differences(found[key], rebuilt[key], inner)
    elif isinstance(found, list) and isinstance(rebuilt, list):
        if len(found) != len(rebuilt):
            yield Difference(place, f"{len(found)} items", f"{len(rebuilt)} items")
        for index, pair in enumerate(zip(found, rebuilt, strict=False)):
            yield from json_differences(*pair, f"{place}.{_item_name(pair[1], index)}")
    elif not _same_value(found, rebuilt):
        yield Difference(place, json.dumps(found), json.dumps(rebuilt))


def text_differences(found: str, rebuilt: str) -> Iterator[Difference]:
    """Yield the lines of two texts that differ; rendered numbers are text.

    Args:
        found: The folder's.
        rebuilt: The one made again.

    Yields:
        The differences, in order.
    """
    ours, theirs = rebuilt.splitlines(), found.splitlines()
    if len(ours) * len(theirs) > MOST_PAIRS:  # lines are matched in quadratic time
        for number, (old, new) in enumerate(zip_longest(theirs, ours, fillvalue=MISSING), start=1):
            if old != new:
                yield Difference(f"line {number}", old, new)
        return
    matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
    for kind, a, a_end, b, b_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        for offset in range(max(a_end - a, b_end - b)):
            old = theirs[a + offset] if a + offset < a_end else MISSING
            new = ours[b + offset] if b + offset < b_end else MISSING
            yield Difference(f"line {b + offset + 1}", old, new)


def numbers_agree(a: float, b: float) -> bool:
    """Return whether two numbers are the same up to rounding; NaN agrees with NaN."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _same_cell(a: str, b: str) -> bool:
    if a == b:
        return True
    try:
        return numbers_agree(float(a), float(b))
    except ValueError:
        return False


def _same_value(a: Any, b: Any) -> bool:
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b))
    if numbers and (isinstance(a, float) or isinstance(b, float)):
        return numbers_agree(a, b)
    return type(a) is type(b) and bool(a == b)


def _row_name(row: Sequence[str]) -> str:
    """Return the texts that a row starts with: what it is about."""
    words = []
    for cell in row[:4]:
        try:
            if not float(cell).is_integer():
                break
        except ValueError:
            pass
        words.append(cell)
    return ", ".join(words)


def _item_name(item: Any, index: int) -> str:
    """Return the id of an item of a list where it has one, else its place."""
    return str(item["id"]) if isinstance(item, dict) and "id" in item else str(index)


def _shown(content: dict[str, Any], key: str) -> str:
    return json.dumps(content[key]) if key in content else MISSING
