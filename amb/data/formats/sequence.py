"""A computational sequence (.csd) of the CMU Multimodal SDK, read as untrusted HDF5.

Layout: ``<root>/data/<video>/intervals`` (n, 2) in seconds and ``…/features`` (n, d). The root's
name and metadata vary and are not used. Links and virtual data sets, which could make a file read
another one, are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from amb.errors import InputError

# Values that one video may have: 2 hours at 30 frames a second have 0.15e9 of OpenFace's 709.
LARGEST_SIZE = 200_000_000


class ComputationalSequence:
    """An open computational sequence: intervals and features by video."""

    def __init__(self, file: Path, data: h5py.Group) -> None:
        self.file = file
        self._data = data
        self.videos = frozenset(data)

    def intervals(self, video: str) -> npt.NDArray[np.float64]:
        """Return start and end of a video's rows (n, 2), in seconds: finite, start ≤ end."""
        dataset = self._dataset(video, "intervals", "f")
        if dataset.shape[1] != 2:
            raise InputError(
                self.file, f"{video}/intervals", f"shape {dataset.shape}", "shape (n, 2)"
            )
        intervals: npt.NDArray[np.float64] = self._read(dataset).astype(np.float64)
        broken = ~np.isfinite(intervals).all(axis=1) | (intervals[:, 1] < intervals[:, 0])
        if broken.any():
            row = int(np.argmax(broken))
            found = intervals[row].tolist()
            raise InputError(self.file, f"{video}/intervals[{row}]", found, "start ≤ end, finite")
        return intervals

    def numbers(self, video: str) -> npt.NDArray[np.float32]:
        """Return a video's numeric features (n, d)."""
        values: npt.NDArray[np.float32] = self._read(self._features(video, "f")).astype(np.float32)
        return values

    def words(self, video: str) -> list[str]:
        """Return a video's words: the first feature of each row, decoded and stripped."""
        return [_decoded(row[0]) for row in self._read(self._features(video, "S"))]

    def dimension(self, video: str) -> int:
        """Return the number of features of a video's rows."""
        return int(self._features(video, "f").shape[1])

    def _read(self, dataset: Any) -> Any:
        try:
            return dataset[()]
        except (OSError, RuntimeError) as error:
            raise InputError(self.file, dataset.name, str(error), "readable values") from error

    def _features(self, video: str, kind: str) -> Any:
        features = self._dataset(video, "features", kind)
        rows = self._dataset(video, "intervals", "f").shape[0]
        if features.shape[0] != rows or features.shape[1] < 1:
            expected = f"{rows} rows, one an interval, of 1 feature or more"
            raise InputError(self.file, f"{video}/features", f"shape {features.shape}", expected)
        return features

    def _dataset(self, video: str, name: str, kind: str) -> Any:
        """Return a data set of two axes after checking that it is safe to read."""
        group = _own_child(self.file, self._data, video, h5py.Group)
        dataset = _own_child(self.file, group, name, h5py.Dataset)
        where = f"{video}/{name}"
        if dataset.is_virtual or dataset.external:
            raise InputError(self.file, where, "data in another file", "data in this file")
        is_text = dataset.dtype.kind == "S" or h5py.check_string_dtype(dataset.dtype) is not None
        if not (is_text if kind == "S" else dataset.dtype.kind == "f"):
            expected = "text (bytes)" if kind == "S" else "floating-point numbers"
            raise InputError(self.file, where, f"type {dataset.dtype}", expected)
        shape = dataset.shape or ()
        if len(shape) != 2 or dataset.size > LARGEST_SIZE:
            expected = f"two axes and {LARGEST_SIZE:,} values at most"
            raise InputError(self.file, where, f"shape {shape}", expected)
        return dataset


@contextmanager
def open_sequence(file: Path) -> Iterator[ComputationalSequence]:
    """Open a computational sequence.

    Args:
        file: The .csd file.

    Yields:
        ComputationalSequence: It is open for reading within the block.

    Raises:
        InputError: The file is no HDF5, is damaged, or is no computational sequence.
    """
    try:
        opened = h5py.File(file, "r")
    except OSError as error:
        raise InputError(file, "HDF5", str(error), "a computational sequence (.csd)") from error
    with opened:
        roots = list(opened)
        if len(roots) != 1:
            found = ", ".join(roots[:5]) or "none"
            raise InputError(file, "root groups", found, "exactly one")
        root = _own_child(file, opened, roots[0], h5py.Group)
        yield ComputationalSequence(file, _own_child(file, root, "data", h5py.Group))


def _own_child(file: Path, group: h5py.Group, name: str, kind: type) -> Any:
    """Return a group or data set that lies in this very file, not behind a link."""
    link = group.get(name, getlink=True)
    where = f"{group.name}/{name}".replace("//", "/")
    if link is None:
        raise InputError(file, where, "nothing", f"a {kind.__name__.lower()}")
    if not isinstance(link, h5py.HardLink):
        raise InputError(file, where, type(link).__name__, "no soft or external link")
    try:
        child = group[name]
    except (KeyError, OSError, RuntimeError) as error:
        raise InputError(file, where, str(error), "a readable object") from error
    if not isinstance(child, kind):
        found = type(child).__name__.lower()
        raise InputError(file, where, f"a {found}", f"a {kind.__name__.lower()}")
    return child


def _decoded(word: bytes | str) -> str:
    text = word.decode("utf-8", errors="replace") if isinstance(word, bytes) else word
    return text.strip("\0 \t\r\n")
