"""What a layout's parts must look like before a reader uses them; errors name the place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from amb.errors import InputError


def require_key(file: Path, where: str, mapping: Any, key: str) -> Any:
    """Return ``mapping[key]``.

    Args:
        file: For messages.
        where: Where the mapping stands in the file.
        mapping: What should be a dict with that key.
        key: The key.

    Returns:
        The value.

    Raises:
        InputError: It is no dict, or lacks the key.
    """
    if not isinstance(mapping, Mapping):
        raise InputError(file, where, type(mapping).__name__, f"a dict with {key}")
    if key not in mapping:
        found = ", ".join(str(name) for name in list(mapping)[:20])
        raise InputError(file, where, found, f"key {key} too")
    return mapping[key]


def numeric(
    file: Path, where: str, value: Any, ndim: int, rows: int | None = None
) -> npt.NDArray[Any]:
    """Return an array of numbers with so many axes.

    Args:
        file: For messages.
        where: Where the array stands.
        value: An array, or a list of numbers where ``ndim`` is 1.
        ndim: Its axes.
        rows: Length of its first axis, where that is known.

    Returns:
        The array, still a view of the file where it was one.

    Raises:
        InputError: It is something else.
    """
    if ndim == 1 and isinstance(value, list) and all(type(v) in (int, float) for v in value):
        value = np.array(value)
    expected = f"numbers with {ndim} axes" + (f", {rows} long" if rows is not None else "")
    if not isinstance(value, np.ndarray):
        raise InputError(file, where, type(value).__name__, expected)
    fits = value.ndim == ndim and value.dtype.kind in "fiu"
    if not fits or (rows is not None and len(value) != rows):
        raise InputError(file, where, f"{value.dtype} {value.shape}", expected)
    return value


def texts(file: Path, where: str, value: Any, rows: int | None = None) -> list[str]:
    """Return a list of texts, from a list or an array of fixed-width text.

    Args:
        file: For messages.
        where: Where the texts stand.
        value: The list or array.
        rows: Its length, where that is known.

    Returns:
        The texts.

    Raises:
        InputError: It is something else.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind == "U" and value.ndim == 1:
        value = value.tolist()
    expected = "a list of texts" + (f", {rows} long" if rows is not None else "")
    if not isinstance(value, list | tuple):
        raise InputError(file, where, type(value).__name__, expected)
    for place, item in enumerate(value):
        if not isinstance(item, str):
            raise InputError(file, f"{where}[{place}]", type(item).__name__, "text")
    if rows is not None and len(value) != rows:
        raise InputError(file, where, f"{len(value)} texts", expected)
    return list(value)


def decoded_texts(file: Path, where: str, value: Any, rows: int | None = None) -> list[str]:
    """Return a list of texts like ``texts``, from byte strings in UTF-8 too."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "S" and value.ndim == 1:
        value = value.tolist()
    if isinstance(value, list | tuple):
        try:
            value = [item.decode() if isinstance(item, bytes) else item for item in value]
        except UnicodeDecodeError as error:
            raise InputError(file, where, str(error), "texts in UTF-8") from None
    return texts(file, where, value, rows)
