"""Which layout a file has, by its content; its name does not count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from amb.data.dataset import SPLITS
from amb.data.formats.label_csv import COLUMNS
from amb.data.untrusted.hdf5 import child_names, open_hdf5, own_child
from amb.data.untrusted.pickles import load_pickle
from amb.data.untrusted.torch_legacy import is_torch_legacy, load_torch_legacy
from amb.errors import InputError

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
PICKLE_STARTS = (b"\x80", b"(", b"]", b"}", b"c")
_HEAD = 4096
_EXPECTED = "a layout that a reader knows (see `amb data layouts`)"


@dataclass(frozen=True)
class Detected:
    """A file's layout, and its content where the file is a pickle.

    Attributes:
        layout: A name of ``formats.layouts.LAYOUTS``.
        content: What the pickle holds, else None.
    """

    layout: str
    content: Any = None


def detect(file: Path) -> Detected:
    """Tell a file's layout from its content.

    Args:
        file: A file of unknown kind and origin.

    Returns:
        The layout.

    Raises:
        InputError: The file is missing, damaged or hostile, or no layout fits.
    """
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEAD)
    except OSError as error:
        raise InputError(file, "file", error.strerror or str(error), "a data file") from error
    if head.startswith(HDF5_SIGNATURE):
        return Detected(_hdf5_layout(file))
    if is_torch_legacy(head):
        return Detected("embeddings", load_torch_legacy(file))
    table = _text_layout(head)
    if table is not None:
        return Detected(table)
    if not head.startswith(PICKLE_STARTS):
        raise InputError(file, "content", repr(head[:16]), _EXPECTED)
    content = load_pickle(file)
    for layout, fits in _PICKLE_LAYOUTS.items():
        if fits(content):
            return Detected(layout, content)
    raise InputError(file, "content", _shape_of(content), _EXPECTED)


def _hdf5_layout(file: Path) -> str:
    with open_hdf5(file) as opened:
        names = child_names(file, opened)
        links = [opened.get(name, getclass=True) for name in names]
        if len(names) == 1 and links[0] is h5py.Group:
            root = own_child(file, opened, names[0], h5py.Group)
            if "data" in child_names(file, root):
                return "csd"
        if len(names) == 1 and links[0] is h5py.Dataset:
            return "h5"
    found = ", ".join(names[:5]) or "nothing"
    raise InputError(file, "content", found, "one group with data (csd), or one array (h5)")


def _text_layout(head: bytes) -> str | None:
    """Return the layout of a text, None for what is none."""
    try:
        text = head.decode("utf-8", errors="strict" if len(head) < _HEAD else "ignore")
    except UnicodeDecodeError:
        return None
    columns = {name.strip().strip('"') for name in text.partition("\n")[0].split(",")}
    if set(COLUMNS) <= columns:
        return "label_csv"
    if {"video_id", "text"} <= columns:
        return "transcripts"
    return "folds" if "standard_train_fold" in text else None


def _each_split(content: Any, names: tuple[str, ...], fits: Callable[[Any], bool]) -> bool:
    return isinstance(content, Mapping) and all(n in content and fits(content[n]) for n in names)


def _has_keys(*keys: str) -> Callable[[Any], bool]:
    return lambda own: isinstance(own, Mapping) and all(key in own for key in keys)


def _is_tuples(items: Any, parts: tuple[int, ...]) -> bool:
    if not isinstance(items, list) or not items or not isinstance(items[0], tuple):
        return False
    first = items[0]
    return len(first) == 3 and isinstance(first[0], tuple) and len(first[0]) in parts


def _is_segments(content: Any) -> bool:
    """Whether this is MOSEI_UMONS's list of segments: number → [video[k], start, end]."""
    if not isinstance(content, Mapping) or not content:
        return False
    first = next(iter(content.values()))
    return isinstance(first, list) and len(first) == 3 and isinstance(first[0], str)


_PICKLE_LAYOUTS: dict[str, Callable[[Any], bool]] = {
    "mmsa": lambda own: _each_split(own, SPLITS, _has_keys("raw_text", "id", "regression_labels")),
    "mult": lambda own: _each_split(own, SPLITS, _has_keys("labels", "id", "text")),
    "mag": lambda own: _each_split(
        own, ("train", "dev", "test"), lambda items: _is_tuples(items, (3, 4))
    ),
    "misa": lambda own: _is_tuples(own, (3, 4)),
    "segments": _is_segments,
}


def _shape_of(content: Any) -> str:
    """Describe a value in a few words, without walking into it."""
    if isinstance(content, Mapping):
        return "a dict of " + ", ".join(repr(key)[:40] for key in list(content)[:8])
    if isinstance(content, np.ndarray):
        return f"an array {content.shape} of {content.dtype}"
    if isinstance(content, list | tuple):
        first = f", the first a {type(content[0]).__name__}" if content else ""
        return f"a {type(content).__name__} of {len(content)}{first}"
    return f"a {type(content).__name__}"
