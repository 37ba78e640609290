"""The report of ``amb data inspect`` as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amb.data.formats.layouts import LAYOUTS

if TYPE_CHECKING:
    from amb.data.inspection.contents import Block
    from amb.data.inspection.measures import Measures
    from amb.data.inspection.report import Inspection


def render(found: Inspection) -> str:
    """Return the report in lines of text."""
    lines = [
        f"{found.file}: {found.size:,} bytes",
        f"SHA-256 {found.sha256}: {found.release or 'not a release we know'}",
    ]
    if found.layout:
        layout = LAYOUTS[found.layout]
        lines += [
            f"layout {found.layout}: {layout.title}",
            f"  says: {layout.holds}",
            f"  cannot say: {layout.lacks}",
        ]
    lines += [f"{split}: {_split(own)}" for split, own in found.splits.items()]
    lines += [_block(block, measures) for block, measures in found.blocks]
    lines += [f"problem: {problem}" for problem in found.problems]
    lines.append(f"{found.verdict}: {found.reason}" if found.reason else found.verdict)
    return "\n".join(lines)


def _split(own: dict[str, Any]) -> str:
    parts = [f"{own[key]} {key}" for key in ("utterances", "videos") if key in own]
    if "label_range" in own:
        low, high = own["label_range"]
        parts.append(f"{own['labels']} labels from {low:g} to {high:g}")
    if own.get("labels_not_finite"):
        parts.append(f"{own['labels_not_finite']} labels not finite")
    return ", ".join(parts)


def _block(block: Block, measures: Measures | None) -> str:
    split = "" if block.split == "all" else f"{block.split}."
    line = f"  {split}{block.name} {block.shape} {block.dtype}"
    if measures is None:
        return line
    if measures.low is not None and measures.high is not None:
        line += f", {measures.low:.4g} to {measures.high:.4g}"
    for count, what in (
        (measures.nan, "NaN"),
        (measures.infinite, "infinite"),
        (measures.constant, "constant columns"),
    ):
        if count:
            line += f", {count:,} {what}"
    return line
