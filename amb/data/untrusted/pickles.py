"""Pickles of unknown origin, loaded as data."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

from amb.data.untrusted.pickle_globals import NUMPY
from amb.data.untrusted.pickle_machine import PickleMachine
from amb.errors import InputError

_OTHER_KINDS = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"PAR1": "a Parquet file",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself",
}


def load_pickle(file: Path) -> Any:
    """Load a pickle without running anything that it names.

    Args:
        file: A pickle of protocol 0 to 5.

    Returns:
        Dicts, lists, tuples, sets, text, bytes, numbers and NumPy arrays. Arrays are read-only
        views of the memory-mapped file, except those in the other byte order.

    Raises:
        InputError: The file is missing, is no pickle, is damaged, or names anything but what such
            data need; the message says what, and at which byte.
    """
    data = mapped(file)
    machine = PickleMachine(file, data, NUMPY)
    value = machine.run()
    if machine.position != len(data):
        left = len(data) - machine.position
        where = f"bytes after the end at byte {machine.position}"
        raise InputError(file, where, left, "none: a file that holds one pickle")
    return value


def mapped(file: Path, expected: str = "a pickle") -> memoryview:
    """Map a file that may be a pickle into memory.

    Args:
        file: The file.
        expected: What the file should be, for messages.

    Returns:
        Its bytes, read-only; they are read when they are used.

    Raises:
        InputError: The file is missing or empty, or is plainly of another kind.
    """
    try:
        with file.open("rb") as handle:
            view = memoryview(mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise InputError(file, "file", error.strerror or str(error), expected) from error
    except ValueError as error:
        raise InputError(file, "file", "0 bytes", expected) from error
    start = bytes(view[:24])
    for signature, kind in _OTHER_KINDS.items():
        if start.startswith(signature):
            raise InputError(file, "content", kind, expected)
    return view
