"""Texts that hold together where a line ends."""

from __future__ import annotations

import re


def unbroken(text: str) -> str:
    """Return a text in which no line ends within a name, "Acc-7" or "non-0", or before an arrow."""
    joined = re.sub(r"(?<=[A-Za-z]-)(?=\d)", "\N{WORD JOINER}", text)
    return re.sub(r" (?=[↑↓])", "\N{NO-BREAK SPACE}", joined)
