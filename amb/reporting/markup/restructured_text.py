"""reStructuredText, the captions of Snakemake's report: escaping."""

from __future__ import annotations

import re

from amb.printable import printable

_SPECIAL = re.compile(r"([\\`*_|<>:\[\]])")


def escape(text: str) -> str:
    """Return ``text`` on one line such that reStructuredText shows it as it stands.

    Within a paragraph, that is: what would begin a block does so at the start of a line only.
    """
    return _SPECIAL.sub(r"\\\1", " ".join(printable(text).split()))
