"""A computational sequence (.csd) of the CMU Multimodal SDK, read as untrusted HDF5.

Layout: ``<root>/data/<video>/intervals`` (n, 2) in seconds and ``…/features`` (n, d). The root's
name and metadata vary and are not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from amb.data.untrusted.hdf5 import (
    Kind,
    child_names,
    open_hdf5,
    own_child,
    read_numbers,
    read_text,
    require_safe,
)
from amb.errors import InputError

# Values that one video may have: 2 hours at 30 frames a second have 0.15e9 of OpenFace's 709.
LARGEST_SIZE = 200_000_000


class ComputationalSequence:
    """An open computational sequence: intervals and features by video."""

    def __init__(self, file: Path, data: h5py.Group) -> None:
        self.file = file
        self._data = data
        self.videos = frozenset(child_names(file, data))

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
        features = self._read(self._features(video, "f"))
        values: npt.NDArray[np.float32] = features.astype(np.float32, copy=False)
        return values

    def words(self, video: str) -> list[str]:
        """Return a video's words: the first feature of each row, decoded and stripped."""
        features = self._features(video, "S")
        return [_decoded(row[0]) for row in read_text(self.file, features, 2, LARGEST_SIZE)]

    def is_text(self, video: str) -> bool:
        """Tell whether a video's features are text."""
        group = own_child(self.file, self._data, video, h5py.Group)
        dataset = own_child(self.file, group, "features", h5py.Dataset)
        return h5py.check_string_dtype(dataset.dtype) is not None or dataset.dtype.kind == "S"

    def dimension(self, video: str) -> int:
        """Return the number of features of a video's rows."""
        return int(self._features(video, "f").shape[1])

    def _read(self, dataset: Any) -> npt.NDArray[Any]:
        return read_numbers(self.file, dataset, 2, LARGEST_SIZE, "f")

    def _features(self, video: str, kind: Kind) -> Any:
        features = self._dataset(video, "features", kind)
        rows = self._dataset(video, "intervals", "f").shape[0]
        if features.shape[0] != rows or features.shape[1] < 1:
            expected = f"{rows} rows, one an interval, of 1 feature or more"
            raise InputError(self.file, f"{video}/features", f"shape {features.shape}", expected)
        return features

    def _dataset(self, video: str, name: str, kind: Kind) -> Any:
        """Return a data set of two axes after checking that it is safe to read."""
        group = own_child(self.file, self._data, video, h5py.Group)
        dataset = own_child(self.file, group, name, h5py.Dataset)
        require_safe(self.file, dataset, kind, 2, LARGEST_SIZE)
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
    with open_hdf5(file, "a computational sequence (.csd)") as opened:
        roots = child_names(file, opened)
        if len(roots) != 1:
            found = ", ".join(roots[:5]) or "none"
            raise InputError(file, "root groups", found, "exactly one")
        root = own_child(file, opened, roots[0], h5py.Group)
        yield ComputationalSequence(file, own_child(file, root, "data", h5py.Group))


def _decoded(word: bytes) -> str:
    return word.decode("utf-8", errors="replace").strip("\0 \t\r\n")
