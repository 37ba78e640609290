"""Names of utterances as the layouts write them, and the video and clip that they stand for."""

from __future__ import annotations

import re
from pathlib import Path

from amb.errors import InputError

MMSA_FORM = "video$_$clip"
BRACKET_FORM = "video[k]"
UNDERSCORE_FORM = "video_k"

_PATTERNS = {
    MMSA_FORM: re.compile(r"(?P<video>.+)\$_\$(?P<clip>.+)", re.DOTALL),
    BRACKET_FORM: re.compile(r"(?P<video>.+?)\[(?P<clip>\d+)\]", re.DOTALL),
    UNDERSCORE_FORM: re.compile(r"(?P<video>.+?)_(?P<clip>\d+)", re.DOTALL),
}


def split_identifier(file: Path, where: str, identifier: str, *forms: str) -> tuple[str, str]:
    """Return the video and the clip that an identifier names.

    Args:
        file: For messages.
        where: Where the identifier stands.
        identifier: The name of an utterance.
        *forms: Forms that the layout may use; the first that fits counts.

    Returns:
        The video and the clip.

    Raises:
        InputError: It has none of these forms.
    """
    for form in forms:
        matched = _PATTERNS[form].fullmatch(identifier)
        if matched:
            return matched["video"], matched["clip"]
    raise InputError(file, where, identifier, " or ".join(forms))
