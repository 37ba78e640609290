"""Files that are either complete or absent: temporary name first, then an atomic rename.

What gets its final name is on the disk by then: a failure of power may take the last files away, as
if they had not been written, and never leaves one that is empty or half there.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RANDOM_CHARACTERS = 8  # in the names that tempfile makes


@contextmanager
def atomic_path(target: Path, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary sibling of ``target`` that replaces it if the block succeeds.

    Args:
        target: The file to write. Its folder is created. What a killed process left of an earlier
            attempt at it is removed.
        durable: Whether its content is forced to the disk before it gets its name.

    Yields:
        A path in the same folder, with the same suffix, to write to.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.stem}."
    _remove_leftovers(target.parent, prefix, target.suffix)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=prefix, suffix=target.suffix)
    temporary = Path(name)
    try:
        _lock(handle)
        yield temporary
        temporary.chmod(0o644)
        if durable:
            _force_to_disk(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary sibling folder that becomes ``target`` if the block succeeds.

    An existing ``target`` is replaced. An interrupted block leaves nothing under that name.

    Args:
        target: The folder to write.

    Yields:
        An empty folder beside ``target`` to write to.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}."
    _remove_leftovers(target.parent, prefix, "")
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix))
    handle = os.open(temporary, os.O_RDONLY)
    try:
        _lock(handle)
        yield temporary
        temporary.chmod(0o755)
        for file in temporary.iterdir():
            file.chmod(0o755 if file.is_dir() else 0o644)
        for file in temporary.rglob("*"):
            if file.is_file():
                _force_to_disk(file)
        if target.exists():
            shutil.rmtree(target)
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(handle)


def _force_to_disk(file: Path) -> None:
    """Wait until what was written to a file is on the disk, whoever wrote it."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _lock(handle: int) -> bool:
    """Take a file's lock, which ends with the process; return whether nobody else has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # someone writes to it, or its file system knows no locks
        return False
    return True


def _remove_leftovers(folder: Path, prefix: str, suffix: str) -> None:
    """Remove temporary files of a target that killed processes left: nobody holds their locks."""
    length = len(prefix) + RANDOM_CHARACTERS + len(suffix)
    for file in folder.iterdir():
        name = file.name
        if not (name.startswith(prefix) and name.endswith(suffix) and len(name) == length):
            continue
        with contextlib.suppress(OSError):
            how = os.O_RDONLY if file.is_dir() else os.O_RDWR
            handle = os.open(file, how | os.O_NOFOLLOW)
            if _lock(handle):
                shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
            os.close(handle)


def write_text(target: Path, text: str, durable: bool = True) -> None:
    """Write ``text`` as UTF-8, atomically, and ``durable`` as ``atomic_path`` has it."""
    with atomic_path(target, durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path, value: Any, durable: bool = True) -> None:
    """Write ``value`` as indented JSON with sorted keys, as ``write_text`` does; NaN is refused."""
    text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n"
    write_text(target, text, durable)


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
