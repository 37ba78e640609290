"""Files that are dated in the future, after a clock was wrong or went back.

Snakemake refuses an output that is older than an input, for it cannot tell a wrong clock from a
stale file: a results folder with files of tomorrow would fail until tomorrow.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

TOLERANCE_NS = 1_000_000_000  # clocks of file servers differ by less
STEP_NS = 1_000  # between files that are dated anew, so that their order stays


def date_future_files_now(folder: Path) -> int:
    """Date the files of a folder that are dated in the future as of now, the oldest first.

    Args:
        folder: The folder; nothing is done where there is none.

    Returns:
        How many files were dated in the future.
    """
    now = time.time_ns()
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    future = [file for file in files if _moment(file) > now + TOLERANCE_NS]
    for place, file in enumerate(sorted(future, key=_moment, reverse=True)):
        moment = now - place * STEP_NS
        with contextlib.suppress(OSError):  # not ours, or on a file system that is read-only
            os.utime(file, ns=(moment, moment), follow_symlinks=False)
    return len(future)


def _moment(file: Path) -> int:
    """Return when a file was written, in ns; 0 for one that is gone meanwhile."""
    try:
        return file.lstat().st_mtime_ns
    except FileNotFoundError:
        return 0
