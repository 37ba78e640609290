"""The tables of a study, in the order in which a reader needs them.

A new table is a line of ``TABLES``; one that is not listed is shown last, under its own title.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from amb.reporting.study_page.fragments import Part, parts_of


@dataclass(frozen=True)
class TableEntry:
    """One table of the folder ``tables``.

    Attributes:
        name: Name of its files there.
        title: What the page calls it.
        purpose: In a sentence, what a reader finds in it.
    """

    name: str
    title: str
    purpose: str


TABLES = (
    TableEntry("comparison", "Comparison", "Every method on the test split."),
    TableEntry("ties", "Ties", "Which methods cannot be told apart, by letters."),
    TableEntry("ablation", "Ablation", "What each part of the method contributes."),
    TableEntry("fusion", "Fusion", "Where the modalities are fused, and by which operator."),
    TableEntry("robustness", "Robustness", "What corrupted inputs cost each method."),
    TableEntry("efficiency", "Efficiency", "Parameters, time and memory, with the hardware."),
    TableEntry("published", "Published numbers", "Quoted from others; not run here."),
    TableEntry("controls", "Controls", "Rows whose result is known before they run."),
    TableEntry("known_answer", "Known answer", "Rows beside what can be known of generated data."),
    TableEntry("metric_variants", "Metrics by definition", "How ranks move with the definition."),
)


@dataclass(frozen=True)
class PageTable:
    """One table as the page shows it.

    Attributes:
        name: Name of its files.
        title: What it is called.
        purpose: What a reader finds in it; may be empty.
        lead: What is shown at once, as HTML.
        details: Further parts with those below them, each shown when asked for.
        files: Its files, relative to the results folder.
    """

    name: str
    title: str
    purpose: str
    lead: Markup
    details: tuple[tuple[Part, ...], ...]
    files: tuple[str, ...]


def read_tables(results: Path) -> list[PageTable]:
    """Read the tables of a results folder.

    Args:
        results: The folder ``results/<study>``.

    Returns:
        Those that have a Markdown form, listed ones first.
    """
    folder = results / "tables"
    listed = [entry for entry in TABLES if (folder / f"{entry.name}.md").is_file()]
    known = {entry.name for entry in TABLES}
    others = sorted(file.stem for file in folder.glob("*.md") if file.stem not in known)
    extra = [TableEntry(name, "", "") for name in others]
    return [_read(folder, entry) for entry in (*listed, *extra)]


def _with_their_own(parts: Sequence[Part]) -> Iterator[tuple[Part, ...]]:
    """Yield every part of level 2 with the parts below it."""
    starts = [i for i, part in enumerate(parts) if part.level == 2 or i == 0]
    for start, end in zip(starts, [*starts, len(parts)][1:], strict=True):
        yield tuple(parts[start:end])


def _read(folder: Path, entry: TableEntry) -> PageTable:
    text = (folder / f"{entry.name}.md").read_text(encoding="utf-8")
    parts = parts_of(text, entry.title or entry.name)
    title = entry.title or next((part.title for part in parts if part.level == 1), entry.name)
    lead = Markup("").join(part.html for part in parts if part.level < 2)
    further = [part for part in parts if part.level >= 2]
    details = tuple(_with_their_own(further))
    kinds = ("csv", "md", "tex", "html")
    files = [f"tables/{entry.name}.{kind}" for kind in kinds]
    present = tuple(file for file in files if (folder.parent / file).is_file())
    return PageTable(entry.name, title, entry.purpose, lead, details, present)
