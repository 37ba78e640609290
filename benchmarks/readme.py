"""What the tables of ``benchmarks/README.md`` have in common, and how one gets there."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from amb import provenance
from amb.files import write_text

README = Path(__file__).with_name("README.md")


def replace_section(name: str, text: str, file: Path = README) -> None:
    """Replace what stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.

    Args:
        name: Name of the section.
        text: Its new content, Markdown.
        file: The file; both comments must be in it.
    """
    content = file.read_text(encoding="utf-8")
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    if begin not in content or end not in content:
        raise SystemExit(f"{file} has no section {name}")
    before, rest = content.split(begin, 1)
    after = rest.split(end, 1)[1]
    write_text(file, f"{before}{begin}{text.rstrip()}\n{end}{after}")


def spread(values: Sequence[float]) -> str:
    """Return a median with the lowest and the highest value: ``1.14 (1.05–1.23)``."""
    return f"{median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def machine() -> dict[str, object]:
    """Return what a benchmark ran on, and how busy it was."""
    return {
        "processor": provenance.processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "system": platform.system(),
    }
