"""Text of unknown origin on its way to a reader: no character in it acts, all of them are seen."""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_KEPT = ("\n", "\t")


def printable(text: str) -> str:
    """Return a text whose control and format characters are replaced; lines stay lines.

    An escape sequence could move the cursor, rename the window or hide a line; a change of the
    direction of writing could make a number read backwards.

    Args:
        text: Any text.

    Returns:
        A text of the same length.
    """
    if text.isprintable():
        return text
    return "".join(c if c in _KEPT or _is_shown(c) else REPLACEMENT for c in text)


def _is_shown(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"  # kinds of spaces
