"""A zip file of unknown origin, unpacked into a folder that nothing in it can leave."""

from __future__ import annotations

import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from amb.errors import InputError
from amb.foreign_files import MIB

MOST_FILES = 100_000
MOST_BYTES = 2048 * MIB
CHUNK = MIB


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """Unpack a zip file into a temporary folder.

    Args:
        archive: The zip file.

    Yields:
        The folder; it is removed afterwards.

    Raises:
        InputError: It is no zip file, or has a name that leaves the folder, a link, an encrypted
            file, too many files, or more bytes than a bundle has.
    """
    with tempfile.TemporaryDirectory(prefix="amb-unpacked-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(archive) as content:
                _unpack(archive, content, folder)
        except (zipfile.BadZipFile, EOFError, RuntimeError, OSError, zlib.error) as error:
            raise InputError(archive, "file", str(error), "a zip file") from error
        yield folder


def _unpack(archive: Path, content: zipfile.ZipFile, folder: Path) -> None:
    members = content.infolist()
    if len(members) > MOST_FILES:
        raise InputError(archive, "files", f"{len(members):,}", f"at most {MOST_FILES:,}")
    left = MOST_BYTES
    for member in members:
        target = folder.joinpath(*_safe_parts(archive, member))
        if member.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        if target.exists():
            raise InputError(archive, "files", member.filename, "every name once")
        target.parent.mkdir(parents=True, exist_ok=True)
        left = _copy(archive, content, member, target, left)


def _safe_parts(archive: Path, member: zipfile.ZipInfo) -> tuple[str, ...]:
    """Return the parts of a member's name; refuse what is no plain file below the folder."""
    name = member.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise InputError(archive, "name of a file", name, "a path inside the archive")
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InputError(archive, name, stat.filemode(mode), "a regular file")
    if member.flag_bits & 1:
        raise InputError(archive, name, "encrypted", "a file that is not")
    return path.parts


def _copy(
    archive: Path, content: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int
) -> int:
    """Unpack one file and return how many bytes are left; what a name states is not believed."""
    with content.open(member) as packed, target.open("xb") as handle:
        while chunk := packed.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise InputError(archive, "size", "more unpacked", f"at most {MOST_BYTES:,} bytes")
            handle.write(chunk)
    return left
