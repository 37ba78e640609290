"""Captions of Snakemake's report, for the page too: one text, so that the two cannot differ."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from amb.reporting.metric_display import METRICS
from amb.reporting.study_page.folder import StudyFolder

PACKAGE = Path(__file__).resolve().parents[2]
_LITERAL = re.compile(r"``(.+?)``")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=\S)(.+?)(?<=\S)\*(?![\w*])")


def caption_folder() -> Path:
    """Return where captions are: beside the workflow in a checkout, in the package in a wheel."""
    packaged = PACKAGE / "report_captions"
    return packaged if packaged.is_dir() else PACKAGE.parent / "workflow" / "report"


def caption_params(folder: StudyFolder) -> dict[str, Any]:
    """Return what captions are filled with; the rules of the workflow fill in the same.

    Args:
        folder: The study.

    Returns:
        The values by name.
    """
    study = folder.study
    return {
        "seeds": seed_range(folder),
        "alpha": folder.alpha,
        "metric": METRICS[study["statistics"]["metrics"][0]].label,
        "reference": folder.labels[study["statistics"]["reference"]],
        "draws": (study.get("corruption") or {}).get("draws", 0),
    }


def seed_range(folder: StudyFolder, rows: Collection[str] | None = None) -> str:
    """Return how many seeds some rows, or all, have each: "5", or "1 to 5" where they differ."""
    counts = {len(folder.seeds[row]) for row in rows or folder.seeds}
    few, many = min(counts), max(counts)
    return str(many) if few == many else f"{few} to {many}"


def caption_file(name: str) -> Path | None:
    """Return the caption of a figure, ``<name>_figure.rst`` or ``<name>.rst``; None: none."""
    candidates = [caption_folder() / f"{name}{suffix}.rst" for suffix in ("_figure", "")]
    return next((file for file in candidates if file.is_file()), None)


def render_caption(file: Path, params: Mapping[str, Any]) -> Markup:
    """Fill a caption in and render it as HTML.

    Args:
        file: The caption (reStructuredText: paragraphs, literals and emphasis).
        params: What its ``snakemake.params`` are.

    Returns:
        Paragraphs of HTML.

    Raises:
        jinja2.UndefinedError: The caption wants something that ``params`` lacks.
    """
    template = Environment(undefined=StrictUndefined).from_string(file.read_text(encoding="utf-8"))
    context = {"snakemake": SimpleNamespace(params=SimpleNamespace(**params))}
    text = template.render(context)
    paragraphs = [_inline(part) for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    return Markup("\n").join(Markup("<p>{}</p>").format(part) for part in paragraphs)


def _inline(paragraph: str) -> Markup:
    """Return one paragraph with literals as code; what stands in them is no markup."""
    pieces = _LITERAL.split(" ".join(paragraph.split()))
    shown = [
        f"<code>{escape(piece)}</code>"
        if place % 2
        else _EMPHASIS.sub(r"<em>\1</em>", str(escape(piece)))
        for place, piece in enumerate(pieces)
    ]
    return Markup("".join(shown))
