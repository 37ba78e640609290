"""Files of a folder of unknown origin, checked before they are opened."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from amb.errors import InputError

MIB = 2**20


def checked_file(folder: Path, name: str, largest: int) -> Path | None:
    """Return a file of an untrusted folder once it is safe to read; None where there is none.

    Args:
        folder: The folder.
        name: Path of the file in it.
        largest: Most bytes it may have.

    Returns:
        Its path.

    Raises:
        InputError: A link on its way leaves the folder, it is no regular file, or it is too large.
    """
    path = folder / name
    try:
        real = path.resolve(strict=True)
    except FileNotFoundError:
        if path.is_symlink():
            raise InputError(path, "link", str(path.readlink()), "a file of the folder") from None
        return None
    except (OSError, RuntimeError) as error:
        raise InputError(path, "file", str(error), "a file of the folder") from error
    if not real.is_relative_to(folder.resolve()):
        raise InputError(path, "link", str(real), "a file inside the folder", "Links may not leave")
    found = real.stat()
    if not stat.S_ISREG(found.st_mode):
        raise InputError(path, "file", stat.filemode(found.st_mode), "a regular file")
    if found.st_size > largest:
        raise InputError(path, "size", f"{found.st_size:,} bytes", f"at most {largest:,} bytes")
    return real


def refuse_links_out(folder: Path, places: Iterable[str]) -> None:
    """Refuse a folder in which a link shows a file from elsewhere as the folder's own.

    What is made of the folder would carry that file, say a key of whoever makes it, along.

    Args:
        folder: The folder.
        places: Folders in it whose entries are looked at; the empty name is the folder itself.

    Raises:
        InputError: A link leads out of the folder.
    """
    root = folder.resolve()
    for place in places:
        inside = folder / place
        for path in (inside, *(inside.iterdir() if inside.is_dir() else ())):
            if not path.resolve().is_relative_to(root):
                raise InputError(path, "link", str(path.resolve()), "a file inside the folder")
